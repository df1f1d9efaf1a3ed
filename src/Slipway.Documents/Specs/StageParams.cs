using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Specs;

/// <summary>The params that reach a stage: those that it lists and those that its command names.</summary>
public static class StageParams
{
    /// <summary>Values by name as the stage writes it; a nested value by its dotted name.</summary>
    /// <exception cref="SlipwayException">A name that is no param, or a number that JSON cannot carry (exit 2).</exception>
    public static ImmutableSortedDictionary<string, JsonElement> Of(Spec spec, StageSpec stage)
    {
        var inCommand = (stage.Run ?? []).SelectMany(argument => ParamReferences.In(argument)).Select(reference => reference.Name);
        var values = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        foreach (var name in stage.Params.Concat(inCommand))
            values[name] = Find(spec, stage, name);
        return values.ToImmutable();
    }

    /// <summary>A value as a command line carries it: a string as it is, anything else as canonical JSON.</summary>
    public static string Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : Encoding.UTF8.GetString(CanonicalJson.Write(value));

    private static JsonElement Find(Spec spec, StageSpec stage, string name)
    {
        if (stage.Combination?.Values.TryGetValue(name, out var own) == true)
            return own;
        if (!spec.Params.TryGetValue(name, out var value))
        {
            var parts = name.Split('.');
            var found = spec.Params.TryGetValue(parts[0], out value);
            foreach (var part in parts.Skip(1))
                found = found && value.ValueKind == JsonValueKind.Object && value.TryGetProperty(part, out value);
            if (!found)
                throw new SlipwayException(ExitCode.UnusableInput, stage.At.Fault("unknown-param", $"stage {stage.Name} uses the param '{name}', which is not under params", NearestName.Of(name, spec.Params.Keys) is { } near ? $"did you mean {near}?" : null));
        }

        try
        {
            CanonicalJson.Write(value);
            return value;
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, stage.At.Fault("bad-param", $"the param '{name}' cannot be handed on: {e.Message}"), e);
        }
    }
}
