/** The words of a property's name, in lower case: `orderId`, `order_id` and `ORDER-ID` are `order` and `id`. */
export function wordsOfName(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}
