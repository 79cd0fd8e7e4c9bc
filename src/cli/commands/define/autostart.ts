import { SvirtError } from "../../../errors.ts";
import { setAutostart } from "../../../state/definitions.ts";
import { isSession } from "../../../state/instance.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt autostart DOMAIN` */
export const command: Command = {
  spec: {
    name: "autostart",
    summary: "start a domain when the node boots",
    details:
      "At boot, `svirt recover --autostart` starts root's marked domains. An ordinary user's domains are not started at boot.",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "disable", summary: "do not start it at boot" }],
  },
  async run(call) {
    refuseInSession(call);
    const { definition, name } = findDomain(call.instance, operand(call, "domain"));
    if (definition === undefined) {
      throw new SvirtError(
        `Requested operation is not valid: cannot set autostart for transient domain '${name}'`,
        {
          kind: "wrong-state",
          remedy: `Define it first: svirt dumpxml ${name} --inactive | svirt define -`,
        },
      );
    }
    const wanted = !call.options.has("disable");
    setAutostart(call.instance, name, wanted);
    call.output.print(`Domain '${name}' ${wanted ? "marked" : "unmarked"} as autostarted\n\n`);
    return undefined;
  },
};

/** Refuses autostart in a session: libvirt starts these domains with the user's daemon, and svirt has no daemon. */
function refuseInSession({ instance }: Call): void {
  if (!isSession(instance)) return;
  throw new SvirtError(
    "Cannot mark the domain as autostarted: at boot nothing is started for an ordinary user",
    {
      kind: "unsupported",
      remedy: "Start it where you log in, such as in ~/.profile: svirt start DOMAIN",
    },
  );
}
