import { defineConfig } from "vitest/config";

const conditions = ["flow-run-source", "node"]; // naming "import" here would make require() load ES modules as well

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["flow-run-source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/dist/**", "**/node_modules/**"],
    // Many tests wait for leases and processes more than they compute: two at a time on two cores.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ["packages/flow-run/test/support/global-setup.ts"],
  },
});
