import type { Json } from "@flow-run/spec";
import type { Shape, ShapeDocument } from "./shape.ts";

/** The input of a prompt: remembers which of its variables a template reads. */
export class InputShape implements Shape {
  readonly label = "the input";
  readonly isInput = true;
  /** Names of the variables that were read. */
  readonly used = new Set<string>();
  /** The input was printed or handed on as a whole, so that any of its variables may have been read. */
  usedWhole = false;
  readonly #inner: Shape;

  constructor(inner: Shape) {
    this.#inner = inner;
  }
  get id(): string {
    return `input:${this.#inner.id}`;
  }
  kinds(): ReturnType<Shape["kinds"]> {
    return this.#inner.kinds();
  }
  field(name: string): Shape | undefined {
    this.used.add(name);
    return this.#inner.field(name);
  }
  fieldNames(): string[] {
    return this.#inner.fieldNames();
  }
  element(): Shape {
    this.usedWhole = true;
    return this.#inner.element();
  }
  values(): readonly Json[] | null {
    return this.#inner.values();
  }
  readWhole(): void {
    this.usedWhole = true;
  }
}

/** The context of a partial that is given arguments: they lie over the fields of what the partial sees without them. */
export class ArgumentsShape implements Shape {
  readonly id: string;
  readonly label: string;
  readonly isInput: boolean;
  readonly #base: Shape;
  readonly #given: ReadonlyMap<string, Shape>;

  constructor(base: Shape, given: ReadonlyMap<string, Shape>, { identities }: ShapeDocument) {
    // A number, for arguments of arguments would double the text at each level.
    this.id = `arguments#${identities.of(JSON.stringify([base.id, [...given].map(([name, shape]) => [name, shape.id])]))}`;
    this.label = base.label;
    this.isInput = base.isInput;
    this.#base = base;
    this.#given = given;
  }
  kinds(): ReturnType<Shape["kinds"]> {
    return new Set(["object"] as const);
  }
  field(name: string): Shape | undefined {
    return this.#given.get(name) ?? this.#base.field(name);
  }
  fieldNames(): string[] {
    return [...this.#given.keys(), ...this.#base.fieldNames()];
  }
  element(): Shape {
    for (const shape of this.#given.values()) shape.readWhole();
    return this.#base.element();
  }
  values(): null {
    return null;
  }
  readWhole(): void {
    this.#base.readWhole();
    for (const shape of this.#given.values()) shape.readWhole();
  }
}
