import * as v from "valibot";
import { aNumber, aString } from "./plain-schemas.ts";

/** Host address and port on which VNC serves a guest's screen. */
export const display = v.strictObject({ address: aString, port: aNumber });
export type Display = v.InferOutput<typeof display>;
