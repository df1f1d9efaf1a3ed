using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.Replay;

/// <summary>Asks a model what was asked before, and compares. One request after the other, in the order in which they are given.</summary>
public sealed class Replayer(IModelHost host, Tolerance tolerance)
{
    private static readonly (string Name, double Share)[] Quantiles = [("0.5", 0.5), ("0.9", 0.9), ("0.99", 0.99), ("1", 1)];

    private readonly SliceTable slices = new(host.Model.Signature);
    private readonly List<double> differences = [];
    private readonly List<ReplayDifference> largest = [];
    private readonly Dictionary<string, ReplayCounts> captured = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> failures = new(StringComparer.Ordinal);
    private long otherForm;

    /// <exception cref="SlipwayException">There are more than <see cref="ReplayReport.MostRequests"/>, or requests of another model (exit 2).</exception>
    public async Task<ReplayReport> ReplayAsync(IEnumerable<CapturedRequest> requests, CancellationToken cancellation)
    {
        using var inputs = TensorSet.ForInputs(host.Model.Signature);
        using var outputs = TensorSet.ForOutputs(host.Model.Signature);
        using var before = TensorSet.ForOutputs(host.Model.Signature);
        var count = 0;
        foreach (var request in requests)
        {
            cancellation.ThrowIfCancellationRequested();
            if (++count > ReplayReport.MostRequests)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("too-many-requests", $"there are more than {ReplayReport.MostRequests} captured requests", Help: "name a shorter time with --from and --to"));
            if (request.Model != host.Model.Name)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("another-model", $"request {count} is of the model {request.Model}, and the bundle is one of {host.Model.Name}"));
            var came = await AskAsync(request, inputs, outputs, before, cancellation);
            var key = request.Bundle.ToString();
            captured[key] = Count(captured.GetValueOrDefault(key) ?? ReplayCounts.None, came);
        }

        return Report();
    }

    private async Task<Outcome> AskAsync(CapturedRequest request, TensorSet inputs, TensorSet outputs, TensorSet before, CancellationToken cancellation)
    {
        if (!request.Dropped.IsEmpty)
            return Outcome.NotAsked;
        if ((Fill(inputs, request.Inputs) ?? inputs.Check()) is { } refused)
            return Fail($"it does not take the request: {refused}");
        outputs.Clear();
        var prediction = await host.PredictAsync(inputs, outputs, cancellation);
        if (prediction.Status != PredictionStatus.Done)
            return Fail(prediction.Reason!);
        if (!request.Masked.IsEmpty || request.Outputs is not { } answered)
            return Outcome.NotCompared;
        if ((Fill(before, answered) ?? before.Check()) is not null)
        {
            // The captured answer is of another signature: other names, types or ranges. So it differs, and by no number.
            otherForm++;
            return Outcome.Different;
        }

        return Compare(request, inputs, outputs, before);
    }

    private Outcome Compare(CapturedRequest request, TensorSet inputs, TensorSet outputs, TensorSet before)
    {
        var difference = AnswerDifference.Of(before, outputs, tolerance);
        differences.Add(difference.Largest);
        var rows = (int)inputs.Batch;
        for (var row = 0; row < rows; row++)
        {
            var ofRow = rows == 1 ? difference : AnswerDifference.Of(before, outputs, tolerance, row, rows);
            slices.Add(inputs, row, ofRow.IsBeyondTolerance, ofRow.Largest);
        }

        if (!difference.IsBeyondTolerance)
            return Outcome.Same;
        Note(request, difference.Largest);
        return Outcome.Different;
    }

    private static string? Fill(TensorSet set, JsonElement tensors)
    {
        set.Clear();
        var reader = new Utf8JsonReader(JsonSerializer.SerializeToUtf8Bytes(tensors, ReplayJson.Default.JsonElement));
        reader.Read();
        return TensorJson.Read(ref reader, set);
    }

    private Outcome Fail(string reason)
    {
        if (failures.ContainsKey(reason) || failures.Count < ReplayReport.MostShown)
            failures[reason] = failures.GetValueOrDefault(reason) + 1;
        return Outcome.Failed;
    }

    private void Note(CapturedRequest request, double difference)
    {
        largest.Add(new ReplayDifference(request.Key, request.At, request.Version, difference));
        if (largest.Count < 2 * ReplayReport.MostShown)
            return;
        Keep();
    }

    private void Keep()
    {
        largest.Sort((a, b) => b.Difference != a.Difference ? b.Difference.CompareTo(a.Difference) : a.At != b.At ? a.At.CompareTo(b.At) : string.CompareOrdinal(a.Key, b.Key));
        largest.RemoveRange(Math.Min(largest.Count, ReplayReport.MostShown), Math.Max(0, largest.Count - ReplayReport.MostShown));
    }

    private ReplayReport Report()
    {
        Keep();
        differences.Sort();
        return new ReplayReport(
            host.Model.Name,
            host.Model.Bundle,
            tolerance,
            captured.Values.Aggregate(ReplayCounts.None, Sum),
            captured.ToImmutableSortedDictionary(StringComparer.Ordinal),
            differences.Count == 0 ? ImmutableSortedDictionary<string, double>.Empty : Quantiles.ToImmutableSortedDictionary(
                quantile => quantile.Name, quantile => differences[(int)Math.Ceiling(quantile.Share * differences.Count) - 1], StringComparer.Ordinal),
            slices.ToSlices(),
            [.. largest],
            failures.ToImmutableSortedDictionary(StringComparer.Ordinal))
        {
            OtherForm = otherForm,
        };
    }

    private static ReplayCounts Sum(ReplayCounts a, ReplayCounts b) => new(
        a.Requests + b.Requests, a.Same + b.Same, a.Different + b.Different, a.Failed + b.Failed, a.NotAsked + b.NotAsked, a.NotCompared + b.NotCompared);

    private static ReplayCounts Count(ReplayCounts counts, Outcome came) => Sum(counts, came switch
    {
        Outcome.Same => ReplayCounts.None with { Requests = 1, Same = 1 },
        Outcome.Different => ReplayCounts.None with { Requests = 1, Different = 1 },
        Outcome.Failed => ReplayCounts.None with { Requests = 1, Failed = 1 },
        Outcome.NotAsked => ReplayCounts.None with { Requests = 1, NotAsked = 1 },
        _ => ReplayCounts.None with { Requests = 1, NotCompared = 1 },
    });

    private enum Outcome
    {
        NotAsked,
        NotCompared,
        Failed,
        Different,
        Same,
    }
}
