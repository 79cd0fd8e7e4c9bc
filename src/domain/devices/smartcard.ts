import { choice } from "../../xml/choice.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, content, required, textOf } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf } from "../../xml/value-form.ts";
import { alias } from "../forms/alias.ts";
import { socketAtPath } from "../forms/source/chardev.ts";
import { BACKEND_EXCEPTIONS, chardevBackends, REFUSED_BACKENDS } from "../forms/source/chardev-backend.ts";
import { absolutePath, objectName } from "../forms/text.ts";

const number = integer(0, 255);
const ccidAddress = choice("address", {
  attribute: "type",
  of: () => ({ ccid: { controller: attribute("controller", number), slot: attribute("slot", number) } }),
});
const end = { alias, address: child(ccidAddress) };

const grammar = choice("smartcard", {
  attribute: "type",
  silent: "none",
  of: () => ({
    none: {
      mode: required(attribute("mode", oneOf("host", "host-certificates"))),
      certificates: children(element("certificate", () => ({ name: required(content(objectName)) }))),
      database: textOf("database", absolutePath),
      ...end,
    },
    ...chardevBackends({ mode: required(attribute("mode", oneOf("passthrough"))), ...end }, socketAtPath),
  }),
  refused: REFUSED_BACKENDS,
  exceptionsOf: BACKEND_EXCEPTIONS,
});
export type Smartcard = ValueOf<typeof grammar>;

/** `<smartcard>`, https://libvirt.org/formatdomain.html#smartcard-devices */
export const smartcard = checked(grammar, (value, node) => {
  if (value.type !== "none") return;
  // virDomainSmartcardDefParseXML() of libvirt: exactly three certificates
  const wanted = value.mode === "host-certificates" ? 3 : 0;
  if (value.certificates.length === wanted && (wanted > 0 || value.database === undefined)) return;
  const why = `${value.mode} has ${wanted} certificates, and there are ${value.certificates.length}`;
  throw notUnderstood({ node, place: "certificate" }, why, "Write three, and mode='host-certificates'.");
});
