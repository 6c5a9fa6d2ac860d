import { applyDiscounts, type DiscountRule } from "./discounts";

export interface CartItem {
  sku: string;
  title: string;
  unitPrice: number; // cents
  quantity: number;
}

export class EmptyCartError extends Error {}

/** What a visitor wants to buy. Kept in local storage until the order is placed. */
export class Cart {
  private items = new Map<string, CartItem>();

  constructor(private readonly maxQuantity = 99) {}

  /** Adds an item, or raises the quantity of one that is there. */
  addItem(item: CartItem): void {
    const present = this.items.get(item.sku);
    const quantity = (present?.quantity ?? 0) + item.quantity;
    if (quantity > this.maxQuantity) {
      throw new RangeError(`cannot order ${quantity} of ${item.sku}, at most ${this.maxQuantity}`);
    }
    this.items.set(item.sku, { ...item, quantity });
  }

  removeItem(sku: string): void {
    this.items.delete(sku);
  }

  /** The sum of all items before discounts, in cents. */
  subtotal(): number {
    return [...this.items.values()].reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);
  }

  /** What the visitor pays, without shipping. */
  total(rules: DiscountRule[]): number {
    if (this.items.size === 0) {
      throw new EmptyCartError("the cart is empty");
    }
    return applyDiscounts(this.subtotal(), [...this.items.values()], rules);
  }

  /** Writes the cart to local storage. */
  persist(storage: Storage = localStorage): void {
    storage.setItem("cart", JSON.stringify([...this.items.values()]));
  }

  static restore(storage: Storage = localStorage): Cart {
    const cart = new Cart();
    for (const item of JSON.parse(storage.getItem("cart") ?? "[]") as CartItem[]) {
      cart.addItem(item);
    }
    return cart;
  }
}
