export interface Address {
  name: string;
  street: string;
  postcode: string;
  city: string;
  country: string; // ISO 3166
}

const POSTCODES: Record<string, RegExp> = { DE: /^\d{5}$/, AT: /^\d{4}$/, CH: /^\d{4}$/, FR: /^\d{5}$/ };

/** What is wrong with an address, one sentence each; none where it can be delivered to. */
export function validateAddress(address: Address): string[] {
  const problems = (["name", "street", "city"] as const)
    .filter((key) => address[key].trim() === "")
    .map((key) => `${key} is missing`);
  const pattern = POSTCODES[address.country];
  if (pattern && !pattern.test(address.postcode)) problems.push(`${address.postcode} is no postcode`);
  return problems;
}

export function formatAddress(address: Address): string {
  return [address.name, address.street, `${address.postcode} ${address.city}`, address.country].join("\n");
}
