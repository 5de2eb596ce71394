// Renders the OpenAPI document of this server. Text only ever becomes text nodes, so nothing in the document can run.
const methods = ['get', 'post', 'put', 'patch', 'delete'];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Paragraphs, lists, `code` and [links](/of/this/site): what descriptions here are written in. */
function prose(text) {
  return (text ?? '').split(/\n{2,}/).filter(Boolean).map((block) => {
    const lines = block.split('\n');
    if (lines.every((line) => line.startsWith('- '))) {
      return element('ul', {}, lines.map((line) => element('li', {}, inline(line.slice(2)))));
    }
    return element('p', {}, inline(lines.join(' ')));
  });
}

function inline(text) {
  return text.split(/(`[^`]+`|\[[^\]]+\]\(\/[^)]*\))/).map((part) => {
    if (part.startsWith('`')) return element('code', {}, part.slice(1, -1));
    const link = /^\[([^\]]+)\]\((\/[^)]*)\)$/.exec(part);
    return link ? element('a', { href: link[2] }, link[1]) : part;
  });
}

function render(api) {
  const resolve = (value) => {
    const path = value?.$ref?.split('/').slice(1);
    return path ? path.reduce((at, key) => at?.[key], api) : value;
  };

  /** One line for a type: `string`, `User`, `User[]`, `string | null`. */
  function typeName(schema) {
    if (!schema) return '';
    if (schema.$ref) return schema.$ref.split('/').at(-1);
    const either = schema.oneOf ?? schema.anyOf;
    if (either) return [...new Set(either.map(typeName))].join(' | ');
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    const types = [schema.type ?? 'any'].flat();
    return types.map((type) => (type === 'array' ? `${typeName(schema.items)}[]` : format(type, schema))).join(' | ');
  }

  function format(type, schema) {
    return type === 'string' && schema.format === 'uuid' ? 'uuid' : type;
  }

  function fields(schema, depth = 0) {
    const shape = resolve(schema);
    if (!shape || depth > 4) return null;
    const parts = shape.allOf ?? [shape];
    const rows = parts.map(resolve).flatMap((part) => Object.entries(part?.properties ?? {}).map(([name, field]) => {
      const isNeeded = (part.required ?? []).includes(name);
      const inner = resolve(field.items ?? field);
      const below = inner?.properties ? element('details', {}, element('summary', {}, 'fields'), fields(inner, depth + 1)) : null;
      return element('tr', {},
        element('td', {}, element('code', {}, name + (isNeeded ? '' : '?'))),
        element('td', { class: 'quiet' }, typeName(field)),
        element('td', {}, inline(field.description ?? resolve(field)?.description ?? ''), below));
    }));
    return rows.length > 0 ? element('table', {}, element('tbody', {}, rows)) : element('p', { class: 'quiet' }, typeName(shape));
  }

  function body(title, content) {
    const [kind, media] = Object.entries(content ?? {})[0] ?? [];
    if (!media) return null;
    return element('div', {},
      element('p', { class: 'quiet' }, `${title}: ${typeName(media.schema)} (${kind})`), fields(media.schema));
  }

  function endpoint(path, method, operation) {
    const parameters = (operation.parameters ?? []).map(resolve);
    const answers = Object.entries(operation.responses ?? {}).filter(([status]) => status !== 'default');
    const isOpen = operation.security?.some((one) => Object.keys(one).length === 0) || operation.security?.length === 0;
    return element('section', { id: operation.operationId },
      element('h3', {},
        element('span', { class: `method ${method}` }, method), element('code', {}, path),
        element('span', { class: 'quiet' }, operation.summary ?? ''),
        isOpen ? element('span', { class: 'quiet' }, '(no sign-in needed)') : null),
      prose(operation.description),
      parameters.length > 0
        ? element('table', {}, element('tbody', {}, parameters.map((parameter) => element('tr', {},
            element('td', {}, element('code', {}, parameter.name + (parameter.required ? '' : '?'))),
            element('td', { class: 'quiet' }, `${typeName(parameter.schema)} in the ${parameter.in}`),
            element('td', {}, inline(parameter.description ?? ''))))))
        : null,
      operation.requestBody ? body('Request', resolve(operation.requestBody).content) : null,
      answers.map(([status, answer]) => [
        element('p', {}, element('strong', {}, status), ' ', inline(resolve(answer).description ?? '')),
        body('Answer', resolve(answer).content),
      ]).flat());
  }

  const contents = document.getElementById('contents');
  const main = document.getElementById('document');
  main.replaceChildren(element('h1', {}, `${api.info.title} API ${api.info.version}`), ...prose(api.info.description));
  contents.replaceChildren();
  for (const tag of api.tags ?? []) {
    const tagged = Object.entries(api.paths).flatMap(([path, item]) => methods
      .filter((method) => item[method]?.tags?.includes(tag.name)).map((method) => [path, method, item[method]]));
    if (tagged.length === 0) continue;
    contents.append(element('h2', {}, tag.name));
    main.append(element('h2', {}, tag.name), element('p', { class: 'quiet' }, tag.description ?? ''));
    for (const [path, method, operation] of tagged) {
      const short = path.replace('/api/v1', '');
      contents.append(element('a', { href: `#${operation.operationId}` },
        element('span', { class: `method ${method}` }, method), ` ${short}`));
      main.append(endpoint(path, method, operation));
    }
  }
  const problem = resolve(api.components?.responses?.Problem);
  if (problem) {
    contents.append(element('h2', {}, 'Problems'), element('a', { href: '#problems' }, 'What can be refused'));
    main.append(element('section', { id: 'problems' }, element('h2', {}, 'Problems'), prose(problem.description)));
  }
  // The page was empty when the browser looked for the place in its address.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

try {
  const answer = await fetch('/api/openapi.json');
  render(await answer.json());
} catch (error) {
  document.getElementById('document').replaceChildren(element('p', {}, `The description could not be loaded: ${error}`));
}
