import type { Field, Place } from "../../xml/declaration.ts";
import type { Draft } from "../../xml/draft.ts";
import { attribute } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notSupported } from "../../xml/refusal.ts";
import { oneOf } from "../../xml/value-form.ts";
import { OTHER_MODELS } from "./label-model.ts";

// Rule: A seclabel of another mechanism is refused by the name of its model.

/**
 * Returns the field of `model` of a `<seclabel>`. A model of another mechanism is refused by its name.
 * `subject` names the object that gets SELinux's default label without the element. Message of
 * virSecurityManagerCheckModel() of libvirt
 */
export function modelAttribute<const Model extends string>(
  models: readonly Model[],
  subject: "guest" | "file",
): Field<Model | undefined> {
  return new ModelField(models, subject);
}

// A class for the reason given in xml/field.ts.
class ModelField<Model extends string> implements Field<Model | undefined> {
  declare private readonly field: Field<Model | undefined>;
  declare private readonly subject: string;

  constructor(models: readonly Model[], subject: string) {
    this.field = attribute("model", oneOf(...models));
    this.subject = subject;
  }

  get place(): Place {
    return this.field.place;
  }

  read(node: XmlNode): Model | undefined {
    const other = OTHER_MODELS.find((name) => name === node.attributes.get("model"));
    if (other === undefined) return this.field.read(node);
    throw notSupported(
      { node, place: "@model" },
      `Security driver model '${other}' is not available`,
      `Leave this <seclabel> out: SELinux then labels the ${this.subject}.`,
    );
  }

  write(draft: Draft, value: Model | undefined): void {
    this.field.write(draft, value);
  }
}
