/**
 * Makes the elements of every component (tsconfig.json, vite.config.ts): React's own, whose text is shown as it was written.
 * Almost every text here may be an attacker's, and marks that turn the direction of writing would show another one. A
 * component cannot forget it, and needs not know what of its texts came from where.
 */
import { jsx as reactJsx, jsxs as reactJsxs } from "react/jsx-runtime";
import { shown, type Props } from "./shown";

export { Fragment, type JSX } from "react/jsx-runtime";

export const jsx: typeof reactJsx = (type, props, key) => reactJsx(type, shown(props as Props), key);
export const jsxs: typeof reactJsxs = (type, props, key) => reactJsxs(type, shown(props as Props), key);
