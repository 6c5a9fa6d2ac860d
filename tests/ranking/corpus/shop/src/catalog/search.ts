export interface Product {
  sku: string;
  title: string;
  description: string;
  price: number;
  tags: string[];
}

interface Scored {
  product: Product;
  score: number;
}

/** Finds products by words in title, tags and description; titles count most. */
export function searchCatalog(products: Product[], query: string, limit = 20): Product[] {
  const words = tokenize(query);
  return products
    .map((product): Scored => ({ product, score: scoreProduct(product, words) }))
    .filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || a.product.title.localeCompare(b.product.title))
    .slice(0, limit)
    .map((one) => one.product);
}

function scoreProduct(product: Product, words: string[]): number {
  const title = tokenize(product.title);
  return words.reduce((score, word) => {
    if (title.includes(word)) return score + 3;
    if (product.tags.includes(word)) return score + 2;
    return score + (product.description.toLowerCase().includes(word) ? 1 : 0);
  }, 0);
}

function tokenize(text: string): string[] {
  return text.toLowerCase().normalize("NFKD").replace(/[^\p{L}\p{N} ]/gu, "").split(/\s+/).filter(Boolean);
}
