using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Documents.Serving;

namespace Slipway.Documents.Specs;

/// <summary>Makes the model of its draft: the artifact must be an output, and the signature one that a request can be checked by.</summary>
internal sealed class ModelResolver(SpecNames names, FaultList faults)
{
    public ModelSpec Resolve(ModelDraft draft)
    {
        var runtime = draft.Runtime;
        if (runtime?.Process is { } process && process.Arguments.SelectMany(text => ParamReferences.In(text)).Any())
            faults.Add(process.At, "unknown-reference", "process asks for a param, which only stages have", "Let a stage write what the command needs into the model.");
        Check(draft.Signature?.Inputs ?? [], "inputs");
        Check(draft.Signature?.Outputs ?? [], "outputs");
        return new ModelSpec(
            names.Output(draft.Artifact, "artifact"),
            new RuntimeSpec(
                runtime?.Process?.Arguments,
                [.. (runtime?.Inputs ?? []).Select(path => new StageInput(InputKind.Path, path.Value) { At = path.At })],
                names.Environment(runtime?.Environment)),
            draft.Task ?? "",
            new ModelSignature([.. (draft.Signature?.Inputs ?? []).Select(tensor => tensor.Value)], [.. (draft.Signature?.Outputs ?? []).Select(tensor => tensor.Value)]))
        {
            At = draft.At,
            Reference = draft.Reference is { } reference ? names.Table(reference) : null,
        };
    }

    private void Check(ImmutableArray<Placed<TensorSpec>> tensors, string key)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var ((name, datatype, shape, range, _), at) in tensors)
        {
            if (name.Length > 0 && !seen.Add(name))
                faults.Add(at, "duplicate-value", $"two {key} are called {Node.Quote(name)}", "Give each a name of its own.");
            if (shape.Contains(0))
                faults.Add(at, "bad-value", $"the shape of '{name}' has a size of 0, allowed -1 for any size, or a size from 1 on");
            if (range is null)
                continue;
            if (datatype is Datatype.Bool or Datatype.String)
                faults.Add(at, "bad-value", $"'{name}' is of type {(datatype == Datatype.Bool ? "bool" : "string")} and has a range, which only numbers have", "Remove range.");
            if (range.Low > range.High)
                faults.Add(at, "bad-value", FormattableString.Invariant($"the range of '{name}' is from {range.Low} to {range.High}, allowed the smaller number first"));
        }
    }
}
