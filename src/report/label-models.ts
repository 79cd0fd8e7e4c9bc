import { LABEL_MODELS, type LabelModelName } from "../domain/forms/label-model.ts";
import type { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { LabelDecision, LabelledGuest, RecordedLabel } from "../label/label-decision.ts";
import type { LabelModel, ModelDescription } from "../label/label-model.ts";
import type { LabelRequest } from "../label/label-request.ts";
import { none } from "../label/none-model.ts";
import { selinux } from "../label/selinux-model.ts";
import type { Level } from "../selinux/level.ts";
import { readPolicyFacts } from "./policy-facts.ts";

/**
 * Label model with the facts of a host, which are read when a method first needs them. Methods as in
 * LabelModel.
 */
export interface HostModel {
  readonly name: LabelModelName;
  isAvailable(): boolean;
  unavailable(settings: string): SvirtError;
  levelFor(type: LabelRequest["type"]): Level | undefined;
  decide(request: LabelRequest, guest: LabelledGuest): LabelDecision;
  recall(recorded: RecordedLabel): LabelDecision;
  describe(): ModelDescription;
  /** Reports whether the host accepts the label. */
  knows(label: string): boolean;
}

const ON_HOST: Readonly<Record<LabelModelName, (host: Host) => HostModel>> = {
  selinux: (host) =>
    bindFacts(host, selinux, {
      readFacts: () => readPolicyFacts(host),
      knows: (label) => host.isValidContext(label),
    }),
  none: (host) => bindFacts(host, none, { readFacts: () => undefined, knows: () => false }),
};

/** Returns the named model on the host, available or not. */
export function modelOn(host: Host, name: LabelModelName): HostModel {
  return ON_HOST[name](host);
}

/** Returns the labelling model of the host's guests: the first available model. */
export function hostModel(host: Host): HostModel {
  const available = LABEL_MODELS.map((name) => modelOn(host, name)).find((model) => model.isAvailable());
  return available ?? modelOn(host, "none");
}

function bindFacts<Facts>(
  host: Host,
  model: LabelModel<Facts>,
  { readFacts, knows }: { readFacts(): Facts; knows(label: string): boolean },
): HostModel {
  let read: { readonly facts: Facts } | undefined;
  const facts = (): Facts => {
    read ??= { facts: readFacts() };
    return read.facts;
  };
  return {
    name: model.name,
    isAvailable: () => model.isAvailable({ selinux: host.getSelinux().mode }),
    unavailable: (settings) => model.unavailable(settings),
    levelFor: (type) => model.levelFor(type, facts()),
    decide: (request, guest) => model.decide(request, guest, facts()),
    recall: (recorded) => model.recall(recorded, facts()),
    describe: () => model.describe(facts()),
    knows,
  };
}
