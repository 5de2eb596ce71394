import { useId } from 'react';
import styles from './Choice.module.css';

export interface Option<Value extends string> {
  value: Value;
  label: string;
  hint?: string;
}

export interface ChoiceProps<Value extends string> {
  label: string;
  options: Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  disabled?: boolean;
}

/** One of a few: radio buttons that look like cards. */
export function Choice<Value extends string>({
  label,
  options,
  value,
  onChange,
  disabled,
}: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset className={styles.set} disabled={disabled}>
      <legend className={styles.legend}>{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles.option}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            aria-label={option.label}
            aria-describedby={option.hint && `${name}-${option.value}`}
            onChange={() => onChange(option.value)}
          />
          <span className={styles.words}>
            <span className={styles.name}>{option.label}</span>
            {option.hint && (
              <span className={styles.hint} id={`${name}-${option.value}`}>
                {option.hint}
              </span>
            )}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export interface SwitchProps {
  label: string;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

export function Switch({ label, hint, checked, onChange, disabled }: SwitchProps) {
  const id = useId();
  return (
    <label className={styles.switch}>
      <span className={styles.words}>
        <span className={styles.name}>{label}</span>
        {hint && (
          <span className={styles.hint} id={id}>
            {hint}
          </span>
        )}
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        disabled={disabled}
        aria-label={label}
        aria-describedby={hint ? id : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  );
}
