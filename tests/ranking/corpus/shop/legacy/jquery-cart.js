// The cart of the old shop; still on the landing pages of partners.
(function ($) {
  var cart = { items: [] };

  cart.addItem = function (sku, price, quantity) {
    for (var i = 0; i < cart.items.length; i++) {
      if (cart.items[i].sku === sku) {
        cart.items[i].quantity += quantity;
        return cart.render();
      }
    }
    cart.items.push({ sku: sku, price: price, quantity: quantity });
    cart.render();
  };

  cart.subtotal = function () {
    return $.map(cart.items, function (item) {
      return item.price * item.quantity;
    }).reduce(function (a, b) {
      return a + b;
    }, 0);
  };

  cart.render = function () {
    $("#cart-total").text((cart.subtotal() / 100).toFixed(2));
  };

  window.cart = cart;
})(jQuery);
