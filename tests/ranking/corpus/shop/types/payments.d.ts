interface Charge {
  id: string;
  status: "succeeded" | "declined" | "pending";
  reason?: string;
}

interface PaymentProvider {
  charge(request: { amount: number; currency: string }): Promise<Charge>;
  refund(chargeId: string, amount?: number): Promise<void>;
}

declare const payments: { provider(name: "card" | "invoice"): PaymentProvider };
