import { expect, test } from "bun:test";
import { parseDomainText } from "../../../src/domain/document.ts";
import { refuseListeners } from "../../../src/domain/forbidden/listeners.ts";
import { refuseUnimplemented } from "../../../src/domain/unimplemented/refuse.ts";
import { completeGuest } from "../../../src/qemu/complete-guest.ts";
import { DEVICES } from "../../../src/vm/capabilities/offers.ts";

const MACHINES = ["pc", "q35"];
const OFFERS = [...DEVICES].flatMap(([element, enumerations]) =>
  enumerations.flatMap(({ name, offers }) =>
    offers.map(({ value, xml }) => ({ title: `${element} ${name} ${value}`, xml })),
  ),
);

/** Does what a start does with the XML of a device before it looks at the host. Throws if that refuses it. */
function accept(xml: string, machine: string): void {
  const domain = parseDomainText(
    `<domain type='qemu'><name>a</name><uuid>00000000-0000-4000-8000-000000000001</uuid><memory>65536</memory>` +
      `<os><type arch='x86_64' machine='${machine}'>hvm</type></os><features><acpi/></features>` +
      `<devices>${xml}</devices></domain>`,
  );
  refuseUnimplemented(domain);
  refuseListeners(domain);
  completeGuest(domain);
}

test.each(OFFERS)("a start accepts the offered device $title", ({ xml }) => {
  for (const machine of MACHINES) expect(() => accept(xml, machine)).not.toThrow();
});

test.each([
  "<graphics type='sdl'/>",
  "<graphics type='spice'/>",
  "<graphics type='egl-headless'/>",
  "<graphics type='dbus'/>",
  "<redirdev bus='usb' type='spicevmc'/>",
  "<channel type='spicevmc'><target type='virtio' name='a.0'/></channel>",
  "<interface type='user'><mac address='52:54:00:00:00:01'/><backend type='passt'/></interface>",
])("a start refuses the device %s, which is not offered", (xml) => {
  for (const machine of MACHINES) expect(() => accept(xml, machine)).toThrow();
});
