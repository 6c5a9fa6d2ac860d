// Types of the backend, version 5.
export interface Session {
  userId: string;
  token: string;
  expiresAt: number;
}

export interface Order {
  id: string;
  paid: boolean;
  total: number;
}

export interface Product {
  sku: string;
  title: string;
  description: string;
  price: number;
  tags: string[];
}

export interface Paths {
  "/sessions": { post: { body: { email: string; password: string }; response: Session } };
  "/orders": { post: { body: { chargeId: string; total: number }; response: Order } };
  "/products": { get: { response: Product[] } };
}
