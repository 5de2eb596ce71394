type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** ICU's `plural` for one language: picks the form for a number and puts it in place of `#`. */
export function pluralFor(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count, forms) => (forms[rules.select(count)] ?? forms.other).replace('#', numbers.format(count));
}

/** "a", "a and b", "a, b and c". */
export function listFor(language: string): (items: string[]) => string {
  const format = new Intl.ListFormat(language, { type: 'conjunction' });
  return (items) => format.format(items);
}
