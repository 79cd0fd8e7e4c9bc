import { securityLabel } from "../domain/forms/text.ts";
import { element, rewritten, type ValueOf } from "../xml/element.ts";
import { textOf } from "../xml/field.ts";
import { integer, type ValueForm } from "../xml/value-form.ts";
import { MODE_BITS } from "./mode-bits.ts";

/** ID that libvirt reads and writes for an unspecified owner or group. */
const UNSPECIFIED = 2 ** 32 - 1;

/** Mode such as `0644`, as virStorageDefParsePerms() of libvirt reads it and `0%o` writes it. */
const octalMode: ValueForm<number> = {
  expects: "a mode in octal digits, 0 to 0777",
  decode(text) {
    const mode = /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
    return mode <= MODE_BITS ? mode : undefined;
  },
  encode: (mode) => `0${mode.toString(8)}`,
};

const written = element("permissions", () => ({
  mode: textOf("mode", octalMode),
  owner: textOf("owner", integer(-1, UNSPECIFIED)),
  group: textOf("group", integer(-1, UNSPECIFIED)),
  label: textOf("label", securityLabel),
}));

/** `<permissions>` of a pool or a volume, https://libvirt.org/formatstorage.html#target-elements */
export const permissions = rewritten(written, withoutUnspecified);

/** Mode, owner, group and label of a pool or a volume. */
export type Permissions = ValueOf<typeof written>;

function withoutUnspecified({ group, owner, ...rest }: Permissions): Permissions {
  return {
    ...rest,
    ...(isSpecified(owner) ? { owner } : {}),
    ...(isSpecified(group) ? { group } : {}),
  };
}

function isSpecified(id: number | undefined): id is number {
  return id !== undefined && id !== -1 && id !== UNSPECIFIED;
}
