"use strict";

const fs = require("node:fs");
const path = require("node:path");

const BASE = "https://shop.example";

/** One url element for each product and each fixed page. */
function renderSitemap(products, pages) {
  const urls = [...pages, ...products.map((product) => `/products/${encodeURIComponent(product.sku)}`)];
  const body = urls.map((url) => `  <url><loc>${BASE}${url}</loc></url>`).join("\n");
  return `<?xml version="1.0"?>\n<urlset>\n${body}\n</urlset>\n`;
}

function main() {
  const products = JSON.parse(fs.readFileSync(path.join(__dirname, "../data/products.json"), "utf8"));
  fs.writeFileSync("dist/sitemap.xml", renderSitemap(products, ["/", "/cart"]));
}

if (require.main === module) main();

module.exports = { renderSitemap };
