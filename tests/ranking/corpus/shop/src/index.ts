export { Cart, CartItem, EmptyCartError } from "./cart/cart";
export { applyDiscounts, DiscountRule } from "./cart/discounts";
export { Session, SessionStore } from "./auth/session";
export { login, logout } from "./auth/login";
export { ApiClient } from "./api/client";
export { ApiError, NetworkError } from "./api/errors";
export { placeOrder } from "./checkout/checkout";
export { searchCatalog } from "./catalog/search";
