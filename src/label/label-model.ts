import type { LabelModelName } from "../domain/forms/label-model.ts";
import type { SvirtError } from "../errors.ts";
import type { Level } from "../selinux/level.ts";
import type { LabelDecision, LabelledGuest, RecordedLabel } from "./label-decision.ts";
import type { LabelRequest } from "./label-request.ts";
import type { FileRole } from "./role.ts";

/**
 * Mechanism of a host for labelling guests and, if the model labels files, their files. `Facts` are the facts
 * about the host on which its decisions depend; report/label-models.ts reads them. Another model, such as
 * Xen's FLASK, could label a guest at its creation and no files. docs/decisions/labels.md
 */
export interface LabelModel<Facts> {
  readonly name: LabelModelName;
  /** Reports whether the host can label guests by this model. */
  isAvailable(host: HostSecurity): boolean;
  /**
   * Returns the error for a guest of this model on a host without it. `settings` is the path of svirt.conf.
   */
  unavailable(settings: string): SvirtError;
  /** Returns the level from which the guest gets a pair of categories; undefined if none is chosen for it. */
  levelFor(type: LabelRequest["type"], facts: Facts): Level | undefined;
  /**
   * Decides the labels of a guest and its files. Throws "unsupported" for a request that the model cannot
   * fulfil.
   */
  decide(request: LabelRequest, guest: LabelledGuest, facts: Facts): LabelDecision;
  /** Returns the decision of a running guest from its record, to label files that are added to it. */
  recall(recorded: RecordedLabel, facts: Facts): LabelDecision;
  /** Labels of files; undefined for a model without labels of files. */
  readonly files: FileLabels | undefined;
  /**
   * Returns the check that a running guest has its label; undefined if it has none. A start makes it before
   * the vCPUs run, an audit at any time.
   */
  verify(decided: { readonly label?: string | undefined }): RunningCheck | undefined;
  /** Describes the model, as capabilities show it. */
  describe(facts: Facts): ModelDescription;
}

/** Facts of a host for the availability of models. */
interface HostSecurity {
  readonly selinux: "enforcing" | "permissive" | "disabled";
}

/** A model's labels of files. */
interface FileLabels {
  /** Returns the label of a role; undefined if the file keeps its label. */
  labelOf(decision: LabelDecision, role: FileRole): string | undefined;
  /** Returns a label of the XML in the form in which the host reports it. */
  canonical(label: string): string;
}

/**
 * Check of a running guest. plan/actions/start.ts makes a step of each kind, vm/audit/audit-node.ts looks at
 * each.
 */
interface RunningCheck {
  /** The kernel reports this context for every process of the guest. */
  readonly by: "process-context";
  readonly context: string;
}

/** Security model in libvirt's terms. https://libvirt.org/formatcaps.html */
export interface ModelDescription {
  readonly model: LabelModelName;
  readonly doi: "0";
  readonly baseLabels: ReadonlyMap<"kvm" | "qemu", string>;
}
