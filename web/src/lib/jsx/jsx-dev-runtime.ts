/** The same for Vite's development server and for tests. */
import { jsxDEV as reactJsx } from "react/jsx-dev-runtime";
import { shown, type Props } from "./shown";

export { Fragment, type JSX } from "react/jsx-dev-runtime";

export const jsxDEV: typeof reactJsx = (type, props, ...rest) => reactJsx(type, shown(props as Props), ...rest);
