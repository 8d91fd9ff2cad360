// What happens to a compiled bundle between a project and the runs that use it: it is checked, frozen as a numbered release of an environment, and made
// current. Nothing that a client sends is trusted.
export { type Deployment, deployBundle } from "./deploy-bundle.ts";
export { missingSecrets } from "./missing-secrets.ts";
export { readBundle } from "./read-bundle.ts";
