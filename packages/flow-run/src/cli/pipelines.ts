/** A pipeline that checks every change and deploys the main branch, for a project in `folder` of the repository ("" for its root). */
export function pipelineFile(ci: "github" | "gitlab", folder: string): { path: string; text: string } {
  const project = folder === "" ? "" : ` --project ${folder}`;
  return ci === "github"
    ? { path: ".github/workflows/flow-run.yml", text: github(folder, project) }
    : { path: ".gitlab-ci.yml", text: gitlab(folder, project) };
}

function github(folder: string, project: string): string {
  const paths = folder === "" ? "" : `\n    paths: ["${folder}/**"]`;
  return `# Checks prompts and workflows in every pull request, and deploys the main branch.
# Secrets (Settings → Secrets and variables → Actions):
#   FLOW_RUN_URL      the server, for example https://flows.example.com
#   FLOW_RUN_API_KEY  from: flow-run keys create github --scope deploy --env prod
name: flow-run
on:
  pull_request:${paths || " {}"}
  push:
    branches: [main]${paths}

permissions:
  contents: read

jobs:
  validate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-node@v5
        with: { node-version: 24 }
      - run: npx --yes flow-run validate --format github${project}

  deploy:
    if: github.event_name == 'push'
    needs: validate
    runs-on: ubuntu-latest
    concurrency: flow-run-deploy
    environment: prod
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-node@v5
        with: { node-version: 24 }
      - run: npx --yes flow-run deploy --env prod --message "$MESSAGE"${project}
        env:
          FLOW_RUN_URL: \${{ secrets.FLOW_RUN_URL }}
          FLOW_RUN_API_KEY: \${{ secrets.FLOW_RUN_API_KEY }}
          MESSAGE: \${{ github.event.head_commit.message }}
`;
}

function gitlab(folder: string, project: string): string {
  const changes = folder === "" ? "" : `\n      changes: ["${folder}/**/*"]`;
  return `# Checks prompts and workflows in every merge request, and deploys the main branch.
# Variables (Settings → CI/CD → Variables, masked and protected):
#   FLOW_RUN_URL      the server, for example https://flows.example.com
#   FLOW_RUN_API_KEY  from: flow-run keys create gitlab --scope deploy --env prod
flow-run-validate:
  image: node:24
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"${changes}
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH${changes}
  script:
    - npx --yes flow-run validate${project}

flow-run-deploy:
  image: node:24
  needs: [flow-run-validate]
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH${changes}
  resource_group: flow-run-prod
  environment: prod
  script:
    - npx --yes flow-run deploy --env prod --message "$CI_COMMIT_TITLE"${project}
`;
}
