import { notXml, type Position } from "./refusal.ts";

/** The line and column of an offset of the text, both from 1. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** The refusal of a text for a fault at an offset. Kind "xml". */
export function faultAt(text: string, offset: number, problem: string): Error {
  return notXml(positionAt(text, offset), problem);
}
