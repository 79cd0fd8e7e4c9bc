import * as v from "valibot";
import { SvirtError } from "../../errors.ts";

/** A counter or size: a number that is not negative. */
export const count = v.pipe(v.number(), v.finite(), v.minValue(0));

/** Returns QEMU's answer, checked against its schema. Throws "failed". */
export function parseAnswer<Schema extends v.GenericSchema>(
  schema: Schema,
  answer: unknown,
  command: string,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, answer);
  if (parsed.success) return parsed.output;
  const place = v.getDotPath(parsed.issues[0]);
  throw new SvirtError(`Cannot read QEMU's answer to ${command}: ${place ?? "it"} is malformed`, {
    kind: "failed",
    remedy: `See the whole answer: svirt qemu-monitor-command DOMAIN ${command}`,
  });
}
