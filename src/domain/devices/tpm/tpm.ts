import { choice } from "../../../xml/choice.ts";
import { element, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, flag, required } from "../../../xml/field.ts";
import { integer, matching, oneOf, yesNo } from "../../../xml/value-form.ts";
import { alias } from "../../forms/alias.ts";
import { absolutePath, uuid } from "../../forms/text.ts";

const profileName = matching(/^[A-Za-z0-9.\-:]{1,128}$/, "a name of letters, digits and . - :");

const profile = element("profile", () => ({
  source: attribute("source", profileName),
  removeDisabled: attribute("removeDisabled", oneOf("check", "fips-host")),
  name: attribute("name", profileName),
}));
const banks = element("active_pcr_banks", () => ({
  sha1: flag("sha1"),
  sha256: flag("sha256"),
  sha384: flag("sha384"),
  sha512: flag("sha512"),
}));
const state = element("source", () => ({
  type: required(attribute("type", oneOf("file", "dir"))),
  path: required(attribute("path", absolutePath)),
}));
const device = element("device", () => ({ path: required(attribute("path", absolutePath)) }));
const external = element("source", () => ({
  type: required(attribute("type", oneOf("unix"))),
  mode: required(attribute("mode", oneOf("connect"))),
  path: required(attribute("path", absolutePath)),
}));

const backend = choice("backend", {
  attribute: "type",
  of: () => ({
    passthrough: { device: child(device) },
    emulator: {
      version: attribute("version", oneOf("1.2", "2.0")),
      persistentState: attribute("persistent_state", yesNo),
      debug: attribute("debug", integer(0, 255)),
      encryption: child(element("encryption", () => ({ secret: required(attribute("secret", uuid)) }))),
      banks: child(banks),
      source: child(state),
      profile: child(profile),
    },
    external: { source: required(child(external)) },
  }),
});

/** `<tpm>`, https://libvirt.org/formatdomain.html#tpm-device */
export const tpm = element("tpm", () => ({
  model: attribute("model", oneOf("tpm-tis", "tpm-crb")),
  backend: required(child(backend)),
  alias,
}));
export type Tpm = ValueOf<typeof tpm>;
