/** A labelled list of which one is chosen. `options`: values, and what they are called. */
export const Select = ({
  label,
  value,
  options,
  choose,
  name,
}: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  choose: (value: string) => void;
  name?: string;
}) => (
  <label class="field">
    <span>{label}</span>
    <select name={name} value={value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
      {options.map(([each, text]) => (
        <option key={each} value={each} selected={each === value}>
          {text}
        </option>
      ))}
    </select>
  </label>
);
