import { parseDomainText } from "../../domain/document.ts";
import { SvirtError, unlessRefused } from "../../errors.ts";
import { type FilterBinding, formatBinding } from "../../network/filter/binding.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecords } from "../../state/record.ts";
import { compareNames } from "../../state/xml-files.ts";

/** A filter of a running guest's tap. */
export interface ListedBinding {
  /** Name of the tap. */
  readonly portdev: string;
  readonly filter: string;
}

/**
 * Lists the filters of running guests' taps, by the names of the taps. A guest with a damaged record has
 * none.
 */
export function listFilterBindings(instance: Instance): readonly ListedBinding[] {
  return bindingsOf(instance).map(({ filterref, portdev }) => ({
    portdev: portdev.name,
    filter: filterref.filter,
  }));
}

/** A filter of a running guest's tap with its XML. */
export interface BindingXml extends ListedBinding {
  readonly xml: string;
}

/**
 * Returns the filter of a tap. Throws "not-found" with libvirt's message. nwfilterBindingLookupByPortDev() of
 * libvirt
 */
export function getFilterBinding(instance: Instance, portdev: string): BindingXml {
  const found = bindingsOf(instance).find((one) => one.portdev.name === portdev);
  if (found !== undefined) return { portdev, filter: found.filterref.filter, xml: formatBinding(found) };
  const message = `Network filter binding not found: no nwfilter binding for port dev '${portdev}'`;
  throw new SvirtError(message, {
    kind: "not-found",
    libvirt: "NO_NWFILTER_BINDING",
    remedy: "svirt nwfilter-binding-list lists the taps with a filter.",
  });
}

function bindingsOf(instance: Instance): readonly FilterBinding[] {
  return readRecords(instance)
    .filter((guest) => isRunning(instance, guest))
    .flatMap(bindingsIn)
    .sort((one, other) => compareNames(one.portdev.name, other.portdev.name));
}

/** virNWFilterBindingDefForNet() of libvirt; it formats the parameters by their names. */
function bindingsIn({ name, uuid, xml }: GuestRecord): readonly FilterBinding[] {
  if (!xml.includes("<filterref")) return [];
  const interfaces = unlessRefused(() => parseDomainText(xml).devices.interfaces) ?? [];
  return interfaces.flatMap(({ filterref, mac, target }): readonly FilterBinding[] => {
    if (filterref === undefined || target === undefined) return [];
    const parameters = filterref.parameters.toSorted((one, other) => compareNames(one.name, other.name));
    return [
      {
        owner: { name, uuid },
        portdev: { name: target.dev },
        mac: { address: (mac?.address ?? "").toLowerCase() },
        filterref: { ...filterref, parameters },
      },
    ];
  });
}
