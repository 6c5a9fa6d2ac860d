import { useMemo, useState } from "preact/hooks";
import type { Cart } from "../cart/cart";
import { translate } from "../i18n/messages";
import { type Product, searchCatalog } from "./search";

interface Props {
  products: Product[];
  cart: Cart;
}

/** The list of products with a search field above it. */
export function ProductList({ products, cart }: Props) {
  const [query, setQuery] = useState("");
  const shown = useMemo(() => (query ? searchCatalog(products, query) : products), [products, query]);
  return (
    <section>
      <input type="search" value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
      {shown.length === 0 && <p>{translate("catalog.nothingFound", { query })}</p>}
      <ul>
        {shown.map((product) => (
          <ProductCard key={product.sku} product={product} onAdd={() => cart.addItem(toItem(product))} />
        ))}
      </ul>
    </section>
  );
}

function ProductCard({ product, onAdd }: { product: Product; onAdd: () => void }) {
  return (
    <li>
      <h3>{product.title}</h3>
      <button onClick={onAdd}>{translate("catalog.addToCart")}</button>
    </li>
  );
}

function toItem(product: Product) {
  return { sku: product.sku, title: product.title, unitPrice: product.price, quantity: 1 };
}
