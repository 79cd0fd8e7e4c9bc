import { choice } from "../../xml/choice.ts";
import { attribute, required, textOf } from "../../xml/field.ts";
import { hexadecimal, integer, matching, yesNo } from "../../xml/value-form.ts";

const base64 = matching(/^[A-Za-z0-9+/]{1,8192}={0,2}$/, 'text in base64, such as "aQ=="');
const common = {
  cbitpos: textOf("cbitpos", integer(0, 63)),
  reducedPhysBits: textOf("reducedPhysBits", integer(0, 63)),
};
const kernelHashes = attribute("kernelHashes", yesNo);

/**
 * `<launchSecurity>`: guest memory unreadable to the host,
 * https://libvirt.org/formatdomain.html#launch-security
 */
export const launchSecurity = choice("launchSecurity", {
  attribute: "type",
  of: () => ({
    sev: {
      kernelHashes,
      ...common,
      policy: required(textOf("policy", hexadecimal(0xffff_ffff, 4))),
      dhCert: textOf("dhCert", base64),
      session: textOf("session", base64),
    },
    "sev-snp": {
      kernelHashes,
      authorKey: attribute("authorKey", yesNo),
      vcek: attribute("vcek", yesNo),
      ...common,
      policy: required(textOf("policy", hexadecimal(0xffff_ffff, 8))),
      guestVisibleWorkarounds: textOf("guestVisibleWorkarounds", base64),
      idBlock: textOf("idBlock", base64),
      idAuth: textOf("idAuth", base64),
      hostData: textOf("hostData", base64),
    },
  }),
  refused: { "s390-pv": "it is for another processor", tdx: "its settings are not implemented" },
});
