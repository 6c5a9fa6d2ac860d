import type { CartItem } from "./cart";

export type DiscountRule =
  | { kind: "percent"; percent: number }
  | { kind: "coupon"; code: string; cents: number; expires: Date }
  | { kind: "bulk"; sku: string; from: number; percent: number };

/** Takes all discounts off a subtotal. The largest percentage counts, coupons add up, nothing goes below zero. */
export function applyDiscounts(subtotal: number, items: CartItem[], rules: DiscountRule[]): number {
  const percent = Math.max(0, ...rules.map((rule) => (rule.kind === "percent" ? rule.percent : 0)));
  const reduced = subtotal * (1 - percent / 100) - bulkSavings(items, rules) - couponValue(rules);
  return Math.max(0, Math.round(reduced));
}

function bulkSavings(items: CartItem[], rules: DiscountRule[]): number {
  let saved = 0;
  for (const rule of rules) {
    if (rule.kind !== "bulk") continue;
    const item = items.find((one) => one.sku === rule.sku && one.quantity >= rule.from);
    saved += item ? (item.unitPrice * item.quantity * rule.percent) / 100 : 0;
  }
  return saved;
}

/** Coupons that have expired are worth nothing. */
function couponValue(rules: DiscountRule[], now = new Date()): number {
  return rules.reduce((sum, rule) => sum + (rule.kind === "coupon" && rule.expires > now ? rule.cents : 0), 0);
}
