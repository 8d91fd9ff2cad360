// What a call costs: list prices by vendor, model and day, or the author's own, in whole nano-dollars without a float in between.
export { estimateCall, USUAL_OUTPUT_TOKENS } from "./estimate-call.ts";
export { CATALOG_VERSION } from "./price-catalog.ts";
export { createPricing, type Pricing, priceOf } from "./price-of.ts";
export type { PriceAnswer, PriceLine, PriceOverride, PriceQuestion } from "./price-question.ts";
