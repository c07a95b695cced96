import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const FEATURES = ["signals", "logs", "rules", "settings", "session", "suppressions", "tables"];

/** What a folder may not import: the flow is shared -> features -> app. */
const forbid = (message, group) => ({ "no-restricted-imports": ["error", { patterns: [{ group, message }] }] });

export default tseslint.config(
  { ignores: ["node_modules", "dist", "src/api/generated"] },
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs.flat["recommended-latest"],
  {
    files: ["**/*.{ts,tsx}"],
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      // The grid and the separators are interactive by their role; their keys are handled.
      "jsx-a11y/no-noninteractive-tabindex": ["error", { roles: ["grid", "separator", "tabpanel", "region"] }],
      "jsx-a11y/no-noninteractive-element-interactions": "off",
      "jsx-a11y/no-autofocus": "off",
      // We do not compile with React's compiler; TanStack Table and Virtual are not made for it.
      "react-hooks/incompatible-library": "off",
    },
  },
  {
    files: ["src/lib/**", "src/api/**", "src/components/**"],
    rules: forbid("Shared code does not know features or the app.", ["@/features/*", "@/app/*", "**/features/*", "**/app/*"]),
  },
  {
    files: ["src/lib/**"],
    rules: forbid("lib is pure: no components, no requests.", ["@/features/*", "@/app/*", "@/components/*", "@/api/*"]),
  },
  ...FEATURES.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: forbid(
      "Features never import each other or the app; share through components, api or lib.",
      ["@/app/*", ...FEATURES.filter((other) => other !== feature).flatMap((other) => [`@/features/${other}`, `@/features/${other}/*`])],
    ),
  })),
);
