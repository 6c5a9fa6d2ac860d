import { describe, expect, it } from "vitest";
import { Cart, EmptyCartError } from "./cart";

const apples = { sku: "apple-1kg", title: "Apples", unitPrice: 350, quantity: 2 };

describe("Cart", () => {
  it("adds up items of the same sku", () => {
    const cart = new Cart();
    cart.addItem(apples);
    cart.addItem(apples);
    expect(cart.subtotal()).toBe(1400);
  });

  it("refuses more than the maximum quantity", () => {
    const cart = new Cart(3);
    cart.addItem(apples);
    expect(() => cart.addItem(apples)).toThrow(RangeError);
  });

  it("has no total while it is empty", () => {
    expect(() => new Cart().total([])).toThrow(EmptyCartError);
  });
});
