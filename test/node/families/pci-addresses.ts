import { expect } from "bun:test";
import { aliasOf } from "./alias-of.ts";
import type { Inspected } from "./inspect.ts";
import { allAt, attributeAt, type Element } from "./xml-tree.ts";

/**
 * Reports whether an element is a part of the board: no separate device, or one that QEMU creates without an
 * argument.
 */
function isOnBoard({ attributes, name }: Element): boolean {
  if (name !== "controller") return false;
  const { index, model = "", type } = attributes;
  return (
    model.endsWith("-root") ||
    type === "ide" ||
    (type === "sata" && index === "0") ||
    type === "fdc" ||
    model === "isa"
  );
}

/** Expects each device at its PCI address in the XML, and each address of the written XML unchanged. */
export function expectPciAddresses({ devices, shown, written }: Inspected): void {
  const root = attributeAt(shown, ["os", "type"], "machine").includes("q35") ? "pcie.0" : "pci.0";
  const elements = allAt(shown, "devices").flatMap(({ children }) => children);
  const indexOf = (element: Element): number =>
    elements.filter(({ name }) => name === element.name).indexOf(element);
  const placed = elements.flatMap((element) => {
    const [address] = allAt(element, "address").filter(({ attributes }) => attributes["type"] === "pci");
    return address === undefined || isOnBoard(element)
      ? []
      : [{ id: aliasOf(element, indexOf(element)), address: address.attributes }];
  });
  const wanted = placed.map(({ address, id }) => {
    const bus = Number(address["bus"]);
    const slot = Number(address["slot"]).toString(16).padStart(2, "0");
    return `${id} on ${bus === 0 ? root : `pci.${bus}`} at ${slot}.${Number(address["function"])}`;
  });
  const found = placed.map(({ id }) => {
    const device = devices.get(id);
    return `${id} on ${device?.bus} at ${device?.properties.get("addr")}`;
  });
  expect(found).toEqual(wanted);
  expect(wanted.length).toBeGreaterThan(5);
  const addresses = (from: Element): readonly string[] =>
    allAt(from, "devices")
      .flatMap(({ children }) => children)
      .flatMap((element) => allAt(element, "address"))
      .map(({ attributes }) => JSON.stringify(attributes, Object.keys(attributes).toSorted()));
  for (const address of addresses(written)) expect(addresses(shown)).toContain(address);
}
