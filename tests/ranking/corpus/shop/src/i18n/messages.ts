type Key = keyof typeof ENGLISH;

const ENGLISH = {
  "catalog.nothingFound": "Nothing found for “{query}”.",
  "catalog.addToCart": "Add to cart",
  "checkout.pay": "Pay now",
  "login.wrongPassword": "Email or password is wrong.",
  "session.expired": "You have been signed out. Please log in again.",
};

const GERMAN: Partial<Record<Key, string>> = {
  "catalog.addToCart": "In den Korb",
  "checkout.pay": "Jetzt bezahlen",
};

let locale = "en";

export function setLocale(wanted: string): void {
  locale = wanted.slice(0, 2);
}

/** A text in the visitor's language with its placeholders filled; English where there is no translation. */
export function translate(key: Key, values: Record<string, string> = {}): string {
  const template = (locale === "de" ? GERMAN[key] : undefined) ?? ENGLISH[key];
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
