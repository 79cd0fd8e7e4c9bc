import { childrenOf, parseSource, type SyntaxNode } from "../../scripts/mutation/mutants.ts";
import { SvirtError } from "../../src/errors.ts";

/**
 * Beginnings of libvirt's messages, by the name of the error. virErrorMsgStrings in src/util/virerror.c of
 * libvirt
 */
const BEGINNINGS: Readonly<Record<string, string>> = {
  "internal error": "INTERNAL_ERROR",
  "invalid argument": "INVALID_ARG",
  "operation failed": "OPERATION_FAILED",
  "XML error": "XML_ERROR",
  "Domain not found": "NO_DOMAIN",
  "Network not found": "NO_NETWORK",
  "Storage pool not found": "NO_STORAGE_POOL",
  "Storage volume not found": "NO_STORAGE_VOL",
  "Secret not found": "NO_SECRET",
  "Invalid secret": "INVALID_SECRET",
  "Requested operation is not valid": "OPERATION_INVALID",
  "unsupported configuration": "CONFIG_UNSUPPORTED",
  "Timed out during operation": "OPERATION_TIMEOUT",
  "argument unsupported": "ARGUMENT_UNSUPPORTED",
  "operation aborted": "OPERATION_ABORTED",
  "metadata not found": "NO_DOMAIN_METADATA",
  "block copy still active": "BLOCK_COPY_ACTIVE",
  "Operation not supported": "OPERATION_UNSUPPORTED",
  "Guest agent is not responding": "AGENT_UNRESPONSIVE",
  "resource busy": "RESOURCE_BUSY",
  "access denied": "ACCESS_DENIED",
  "device not found": "DEVICE_MISSING",
};

/** Message of libvirt's in the source. */
export interface LibvirtMessage {
  readonly message: string;
  /** libvirt's error, by the beginning of the message. */
  readonly expected: string;
  /** libvirt's error that the source gives; undefined if the call around the message does not show it. */
  readonly given: string | undefined;
}

/** Lists the messages of a source file that begin as one of libvirt's. */
export function listLibvirtMessages(file: string, source: string): LibvirtMessage[] {
  const program = parseSource(file, source);
  const walk = (node: SyntaxNode, around: readonly SyntaxNode[]): LibvirtMessage[] => {
    const message = beginningOf(node);
    const expected = expectedIn(file, message);
    const inside = childrenOf(node).flatMap((child) => walk(child, [node, ...around]));
    if (expected === undefined) return inside;
    return [{ message, expected, given: givenBy(program, node, around) }, ...inside];
  };
  return walk(program, []);
}

/**
 * Returns libvirt's error by the beginning of a message. Domains and networks have an error each for one
 * beginning.
 */
function expectedIn(file: string, message: string): string | undefined {
  const expected = BEGINNINGS[message.split(":", 1)[0] ?? ""];
  return expected === "NO_DOMAIN_METADATA" && file.includes("/network/") ? "NO_NETWORK_METADATA" : expected;
}

/** Returns a string, or a template up to its first value. */
function beginningOf(node: SyntaxNode): string {
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node.type !== "TemplateLiteral") return "";
  const [first] = node["quasis"] as readonly { readonly value: { readonly cooked: string } }[];
  return first?.value.cooked ?? "";
}

/**
 * Returns the error of the call whose first argument is the message: an error's constructor, or a function
 * that calls one.
 */
function givenBy(
  program: SyntaxNode,
  message: SyntaxNode,
  [call]: readonly SyntaxNode[],
): string | undefined {
  if (call === undefined || argumentsOf(call)[0] !== message) return undefined;
  if (call.type === "NewExpression") return errorOf(call);
  const name = nameOf(call["callee"] as SyntaxNode);
  const callee = listNodes(program, "FunctionDeclaration").find(
    (one) => nameOf(one["id"] as SyntaxNode) === name,
  );
  const [made] = callee === undefined ? [] : listNodes(callee, "NewExpression");
  return made === undefined ? undefined : errorOf(made);
}

function errorOf(made: SyntaxNode): string | undefined {
  const facts = argumentsOf(made)[1];
  if (facts?.type !== "ObjectExpression") return undefined;
  const [kind, libvirt] = ["kind", "libvirt"].map((name) => literalOf(facts, name));
  if (kind === undefined) return undefined;
  // A wrong name of a kind or an error does not compile in the source.
  const error = new SvirtError("", { kind, libvirt, remedy: "" } as never);
  return error.libvirt.name.slice("VIR_ERR_".length);
}

function literalOf(facts: SyntaxNode, name: string): unknown {
  const found = childrenOf(facts).find(
    (one) => one.type === "Property" && nameOf(one["key"] as SyntaxNode) === name,
  );
  return (found?.["value"] as SyntaxNode | undefined)?.["value"];
}

function argumentsOf(call: SyntaxNode): readonly SyntaxNode[] {
  return (call["arguments"] ?? []) as readonly SyntaxNode[];
}

function nameOf(node: SyntaxNode): unknown {
  return node["name"];
}

function listNodes(node: SyntaxNode, type: string): SyntaxNode[] {
  return [
    ...(node.type === type ? [node] : []),
    ...childrenOf(node).flatMap((child) => listNodes(child, type)),
  ];
}
