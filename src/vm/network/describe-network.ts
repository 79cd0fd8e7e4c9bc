import { type ApplicationElement, elementOf, replaceElement } from "../../domain/metadata-element.ts";
import { SvirtError } from "../../errors.ts";
import { formatNetwork, parseNetworkText } from "../../network/document.ts";
import type { Network } from "../../network/forms/network.ts";
import type { Instance } from "../../state/instance.ts";
import type { DescriptionField } from "../change/describe-domain.ts";
import type { ImpactOptions } from "../change/impact.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { findNetwork } from "./find-network.ts";
import { changeOf, networkChange } from "./network-change.ts";
import { decideNetworkImpact, documentSteps } from "./update-network.ts";

/** A network, by its name or UUID, and which of its documents are meant. */
export interface NetworkAsk {
  readonly key: string;
  readonly options: ImpactOptions;
}

/**
 * Returns the title or description of the active network or the definition; undefined if it has none. Throws
 * "not-found", "wrong-state".
 */
export function readNetworkDescription(
  instance: Instance,
  ask: NetworkAsk,
  which: DescriptionField,
): string | undefined {
  return readDocument(instance, ask)[which];
}

/**
 * Returns the metadata of a namespace, without it; undefined if there are none. Throws "not-found",
 * "wrong-state".
 */
export function readNetworkMetadata(instance: Instance, ask: NetworkAsk, uri: string): string | undefined {
  const { metadata } = readDocument(instance, ask);
  return metadata === undefined ? undefined : elementOf(metadata, uri);
}

function readDocument(instance: Instance, { key, options }: NetworkAsk): Network {
  const stored = findNetwork(instance, key);
  const { live } = decideNetworkImpact(stored, options);
  return parseNetworkText((live ? stored.active : stored.defined) ?? "");
}

/** New title or description of a network. */
interface NewDescription {
  readonly which: DescriptionField;
  readonly text: string;
}

/**
 * Sets the title or description; an empty text removes it. Throws "not-found", "wrong-state", "xml", "usage"
 * for a title of several lines. virNetworkDefSetMetadata() of libvirt
 */
export async function writeNetworkDescription(
  instance: Instance,
  ask: NetworkAsk,
  description: NewDescription,
): Promise<void> {
  await carryOut(instance, networkDescription(ask, description));
}

/** Returns the change of writeNetworkDescription(). Throws "usage". */
export function networkDescription(ask: NetworkAsk, { text, which }: NewDescription): Change<undefined> {
  if (which === "title" && text.includes("\n")) {
    throw new SvirtError("metadata title can't contain newlines", {
      kind: "usage",
      from: "NETWORK",
      remedy: "Use one line; set longer text as the description.",
    });
  }
  return describedBy(ask, {
    command: "net-desc",
    change: ({ [which]: _, ...network }) => (text === "" ? network : { ...network, [which]: text }),
  });
}

/**
 * Sets or removes the metadata of a namespace. Throws "not-found", "wrong-state", and as replaceElement().
 */
export async function writeNetworkMetadata(
  instance: Instance,
  ask: NetworkAsk,
  element: ApplicationElement,
): Promise<void> {
  await carryOut(instance, networkMetadata(ask, element));
}

/** Returns the change of writeNetworkMetadata(). */
export function networkMetadata(ask: NetworkAsk, element: ApplicationElement): Change<undefined> {
  return describedBy(ask, {
    command: "net-metadata",
    change({ metadata, ...network }) {
      const changed = replaceElement(metadata, element);
      return changed === undefined ? network : { ...network, metadata: changed };
    },
  });
}

/** Change of the texts that describe a network. */
interface Description {
  /** Command, such as `net-desc`. */
  readonly command: string;
  change(network: Network): Network;
}

function describedBy({ key, options }: NetworkAsk, { change, command }: Description): Change<undefined> {
  return networkChange((instance) => {
    const stored = findNetwork(instance, key);
    const impact = decideNetworkImpact(stored, options);
    const changed = (xml: string | undefined): string => {
      const text = formatNetwork(change(parseNetworkText(xml ?? "")));
      // The text comes from a client: a document that cannot be read would lose the network.
      parseNetworkText(text);
      return text;
    };
    const steps = documentSteps(instance, stored.name, {
      active: impact.live ? changed(stored.active) : undefined,
      defined: impact.config ? changed(stored.defined) : undefined,
    });
    return {
      change: changeOf(stored, { command, steps, commit: "last" }),
      result: undefined,
    };
  });
}
