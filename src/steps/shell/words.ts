import type { ArithmeticExpression, Script, TestExpression, Word, WordPart } from 'unbash';
import { forEachChild } from 'unbash';

/** A word after expansion; `known` where no part of it is left as it was written. */
export type Expanded = { text: string; known: boolean };

export type Expand = {
  word(word: Word): Expanded;
  parts(parts: readonly WordPart[]): Expanded;
  test(expression: TestExpression): string[];
  arithmetic(expression: ArithmeticExpression | undefined): void;
};

/** Characters that one word may grow to: values within values grow fast. */
const EXPANDED_MAX = 64 * 1024;

/** What makes text of words: with `values` where they are known. Notes each variable, and hands each script in a word to `onScript`. */
export function makeExpand(
  values: ReadonlyMap<string, string>,
  uses: Set<string>,
  onScript: (script: Script, by: '$(' | '<(' | '>(') => void,
): Expand {
  const join = (pieces: readonly Expanded[]): Expanded => {
    const text = pieces.map((piece) => piece.text).join('');
    if (text.length > EXPANDED_MAX) throw new RangeError('a word grows too long');
    return { text, known: pieces.every(({ known }) => known) };
  };
  const variable = (name: string): Expanded => {
    uses.add(name);
    const value = values.get(name);
    return value === undefined ? { text: `\${${name}}`, known: false } : { text: value, known: true };
  };

  function part(one: WordPart): Expanded {
    switch (one.type) {
      case 'Literal':
      case 'SingleQuoted':
      case 'AnsiCQuoted':
        return { text: one.value, known: true };
      case 'DoubleQuoted':
      case 'LocaleString':
        return join(one.parts.map(part));
      case 'SimpleExpansion':
        return variable(one.text.slice(1));
      case 'ParameterExpansion': {
        const { operation, parameter, prefix } = one;
        const plain = variable(parameter);
        if (operation === undefined && prefix === undefined) return plain;
        if (operation?.type === 'Default') {
          const operand = word(operation.operand);
          const sign = operation.operator.slice(-1);
          if (sign === '-' || sign === '=') return plain.known && plain.text !== '' ? plain : operand;
          return sign === '+' ? (plain.known ? operand : { text: one.text, known: false }) : plain;
        }
        forEachChild(one, (child) => {
          if (child.type === 'Word') word(child);
        });
        return { text: one.text, known: false };
      }
      case 'CommandExpansion':
        if (one.script !== undefined) onScript(one.script, '$(');
        return { text: one.text, known: false };
      case 'ProcessSubstitution':
        if (one.script !== undefined) onScript(one.script, `${one.operator}(`);
        return { text: one.text, known: false };
      case 'ArithmeticExpansion':
        arithmetic(one.expression);
        return { text: one.text, known: false };
      case 'Glob':
      case 'ExtendedGlob':
      case 'BraceExpansion':
        return { text: one.text, known: false };
    }
  }

  function word({ parts, value }: Word): Expanded {
    return parts === undefined ? { text: value, known: true } : join(parts.map(part));
  }

  function arithmetic(expression: ArithmeticExpression | undefined): void {
    if (expression === undefined) return;
    if (expression.type === 'ArithmeticWord') {
      if (/^[A-Za-z_]\w*$/.test(expression.value)) uses.add(expression.value);
      expression.parts?.forEach(part);
    } else if (expression.type === 'ArithmeticCommandExpansion') {
      if (expression.script !== undefined) onScript(expression.script, '$(');
    } else {
      forEachChild(expression, (child) => arithmetic(child as ArithmeticExpression));
    }
  }

  function test(expression: TestExpression): string[] {
    const texts: string[] = [];
    forEachChild(expression, (child) => {
      if (child.type === 'Word') texts.push(word(child).text);
      else if (child.type.startsWith('Test')) texts.push(...test(child as TestExpression));
    });
    return texts;
  }

  return { word, parts: (all) => join(all.map(part)), test, arithmetic };
}
