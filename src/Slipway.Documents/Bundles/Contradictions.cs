using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Datasets;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Bundles;

/// <summary>
/// Finds documents that are each well formed and cannot all be true: then somebody sealed by hand, or exchanged a part.
/// </summary>
internal sealed class Contradictions(BundleDocuments documents)
{
    private readonly Spec spec = documents.Spec;

    public List<Fault> Found { get; } = [];

    public void BetweenDocuments()
    {
        if (spec.Description is not null || !spec.Owners.IsEmpty || spec.Release is not null)
            Add("spec-not-for-seal", "spec.json holds a description, owners or a release plan, which are no part of a bundle");
        Snapshots();
        Environments();
        if (!Same(documents.Hardware, spec.Hardware, BundleJson.Default.Hardware))
            Add("hardware-contradicts-spec", "hardware.json differs from the hardware of spec.json");
        if (!Same(documents.Signature, spec.Model!.Signature, DocumentJson.Default.ModelSignature))
            Add("signature-contradicts-spec", "signature.json differs from the model's signature in spec.json");
        Stages();
        Found.AddRange(RerunCheck.Of(documents));
        Evaluation();
        Curves();
        if (documents.Reference is { } reference)
            Found.AddRange(ReferenceCheck.Of(reference, spec));
    }

    public void WithConfig(ModelPackConfig config, ImmutableArray<BundleLayer> layers)
    {
        if (!config.ModelFs.DiffIds.SequenceEqual(layers.Select(layer => layer.Blob.Digest)))
            Add("config-contradicts-layers", "modelfs.diffIds of the config are not the digests of the manifest's layers, in order");
        if (config.Descriptor.Name != spec.Name)
            Add("config-contradicts-spec", $"the config names the model '{Shown(config.Descriptor.Name)}', spec.json '{Shown(spec.Name)}'");
        if (!(config.Descriptor.Licenses ?? []).SequenceEqual(spec.License is null ? [] : [spec.License]))
            Add("config-contradicts-spec", "the config's licenses are not the license of spec.json");
    }

    public void WithModel(SealedModel? model)
    {
        var artifact = spec.Model!.Artifact;
        if (model is null)
            Add("model-ambiguous", "the bundle has more than one weight layer; Slipway seals one");
        else if (Output(artifact) is not { } output)
            Add("model-contradicts-lineage", $"the model is '{Shown(artifact)}', which lineage.json does not name as an output");
        else if (output != model.Digest)
            Add("model-contradicts-lineage", $"lineage.json says that {Shown(artifact)} is {output}; the weight layer holds {model.Digest}");
    }

    private void Snapshots()
    {
        var pins = documents.Lock.Data;
        SameNames("snapshots-contradict-spec", "snapshots.json", documents.Snapshots.Keys, spec.Data.Keys, "the datasets of spec.json");
        SameNames("lock-contradicts-spec", "lock.json", pins.Keys, spec.Data.Keys, "the datasets of spec.json");
        foreach (var (name, snapshot) in documents.Snapshots)
        {
            if (snapshot.Name != name)
                Add("snapshots-contradict-spec", $"snapshots.json calls '{Shown(name)}' also '{Shown(snapshot.Name)}'");
            if (Snapshot.DigestOf(snapshot.Files) != snapshot.Digest)
                Add("snapshot-contradicts-itself", $"the digest of {Shown(name)} in snapshots.json is not that of its files");
            if (!pins.TryGetValue(name, out var pin))
                continue;
            if (pin.Digest != snapshot.Digest)
                Add("snapshot-contradicts-lock", $"{Shown(name)} is pinned at {pin.Digest} in lock.json and is {snapshot.Digest} in snapshots.json");
            if (pin.Rows != snapshot.Rows || pin.Size != snapshot.Files.Sum(file => file.Size))
                Add("snapshot-contradicts-lock", $"{Shown(name)} has other rows or bytes in lock.json than in snapshots.json");
        }
    }

    private void Environments()
    {
        SameNames("environment-contradicts-spec", "environment.json", documents.Environments.Keys, spec.Environments.Keys, "the environments of spec.json");
        if (!Same(documents.Environments, documents.Lock.Environments, BundleJson.Default.Environments))
            Add("environment-contradicts-lock", "environment.json differs from the environments of lock.json");
        foreach (var (name, _) in documents.Environments.Where(entry => !entry.Value.IsConsistent()))
            Add("environment-contradicts-itself", $"the digest of {Shown(name)} in environment.json is not that of its packages");
        foreach (var (name, found) in documents.Environments.Where(entry => entry.Value.Name != entry.Key))
            Add("environment-contradicts-spec", $"environment.json calls '{Shown(name)}' also '{Shown(found.Name)}'");
    }

    private void Stages()
    {
        var stages = documents.Lineage.Stages;
        SameNames("lineage-contradicts-spec", "lineage.json", stages.Select(stage => stage.Name), spec.Stages.Select(stage => stage.Name), "the stages of spec.json");
        foreach (var stage in stages)
        {
            if (spec.Stages.FirstOrDefault(declared => declared.Name == stage.Name) is not { } declared)
                continue;
            SameNames("lineage-contradicts-spec", $"lineage.json, {stage.Name}", stage.Outputs.Keys, declared.Outputs.Keys, "its outputs in spec.json");
            foreach (var input in declared.Inputs)
            {
                if (!stage.Inputs.TryGetValue(input.Name, out var used))
                    Add("lineage-contradicts-spec", $"lineage.json does not say what {Shown(stage.Name)} took for {Shown(input.Name)}");
                else if (input.Kind == InputKind.Output && Output(input.Name) is { } made && made != used)
                    Add("lineage-contradicts-itself", $"{Shown(stage.Name)} took {used} for {Shown(input.Name)}, which is {made}");
                else if (input.Kind == InputKind.Dataset && documents.Snapshots.TryGetValue(input.Name, out var snapshot) && snapshot.Digest != used)
                    Add("lineage-contradicts-snapshot", $"{Shown(stage.Name)} took {used} for {Shown(input.Name)}, whose snapshot is {snapshot.Digest}");
            }
        }
    }

    private void Evaluation()
    {
        if (spec.Evaluate is not { } asked || documents.Evaluation is not { } found || documents.Replicates is not { } replicates)
            return;
        if (Output(asked.Predictions) is not { } predictions)
            Add("predictions-contradict-lineage", $"the predictions are '{Shown(asked.Predictions)}', which lineage.json does not name as an output");
        else if (predictions != found.Predictions)
            Add("predictions-contradict-lineage", $"evaluation.json is about predictions {found.Predictions}; lineage.json says that {Shown(asked.Predictions)} is {predictions}");

        void Differs(string what, object? evaluated, object? specified) =>
            Add("evaluation-contradicts-spec", $"evaluation.json has {what} {evaluated ?? "none"}, spec.json {specified ?? "none"}");
        if (found.Confidence != asked.Confidence.Value)
            Differs("confidence", found.Confidence, asked.Confidence.Value);
        if (found.Resamples != asked.Resamples)
            Differs("resamples", found.Resamples, asked.Resamples);
        if (found.Seed != spec.Determinism.Seed)
            Differs("seed", found.Seed, spec.Determinism.Seed);
        if (found.Unit != asked.Unit)
            Differs("unit", found.Unit, asked.Unit);
        foreach (var metric in asked.Metrics.Where(metric => !found.Metrics.ContainsKey(metric)))
            Add("evaluation-contradicts-spec", $"evaluation.json lacks the metric {Shown(metric)} that spec.json asks for");
        foreach (var column in asked.Slices.Where(column => !found.Slices.ContainsKey(column)))
            Add("evaluation-contradicts-spec", $"evaluation.json lacks the slices by {Shown(column)} that spec.json asks for");
        foreach (var metric in found.Metrics.Where(metric => metric.Value.Low is not null && !replicates.Replicates.ContainsKey(metric.Key)).Select(metric => metric.Key))
            Add("replicates-contradict-evaluation", $"evaluation.json has an interval of {Shown(metric)}; evaluation-replicates.json lacks the replicates that it was drawn from");
        foreach (var (metric, values) in replicates.Replicates)
        {
            if (!found.Metrics.ContainsKey(metric) || values.IsEmpty || values.Length != found.Resamples)
                Add("replicates-contradict-evaluation", $"evaluation-replicates.json has {values.Length} replicates of {Shown(metric)}; evaluation.json has {(found.Metrics.ContainsKey(metric) ? $"{found.Resamples} resamples" : "no such metric")}");
            else if (found.Metrics[metric] is { Low: { } low, High: { } high } && !(values.Min() <= low && low <= high && high <= values.Max()))
                Add("replicates-contradict-evaluation", $"evaluation.json has {Shown(metric)} in [{low}, {high}]; the replicates that it would be drawn from lie in [{values.Min()}, {values.Max()}]");
        }
    }

    /// <summary>The digest of <c>stage.output</c>.</summary>
    private Digest? Output(string reference)
    {
        foreach (var stage in documents.Lineage.Stages)
        {
            foreach (var (name, digest) in stage.Outputs)
            {
                if (reference == $"{stage.Name}.{name}")
                    return digest;
            }
        }

        return null;
    }

    private void Curves()
    {
        if (documents.Evaluation is not { } evaluation || documents.Curves is not { } curves)
            return;
        if (curves.Rows != evaluation.Rows || curves.Positives != evaluation.Positives)
            Add("curves-contradict-evaluation", $"evaluation-curves.json has {curves.Rows} rows, {curves.Positives} of them positive; evaluation.json {evaluation.Rows} and {evaluation.Positives}");
        else if (!curves.IsConsistent())
            Add("curves-contradict-themselves", "the points or bins of evaluation-curves.json do not add up to its rows, or hold too few of them");
    }

    private void SameNames(string code, string where, IEnumerable<string> found, IEnumerable<string> expected, string what)
    {
        var (has, due) = (found.Order(StringComparer.Ordinal).ToList(), expected.Order(StringComparer.Ordinal).ToList());
        if (!has.SequenceEqual(due))
            Add(code, $"{where} names {Listed(has)}; {what} are {Listed(due)}");
    }

    private static string Listed(List<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Select(Shown));

    /// <summary>Collections in records compare by identity; their canonical bytes do not.</summary>
    private static bool Same<T>(T x, T y, JsonTypeInfo<T> type) =>
        CanonicalJson.Serialize(x, type).AsSpan().SequenceEqual(CanonicalJson.Serialize(y, type));

    private static string Shown(string? text) => ForeignText.Shown(text ?? "");

    private void Add(string code, string message) => Found.Add(new Fault(code, message));
}
