using System.Collections.Immutable;
using Slipway.Documents.Checks;
using Slipway.Documents.Datasets;
using Slipway.Pipeline.Snapshots;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Checks;

/// <param name="Taken">The sample as a dataset of the check's own project.</param>
/// <param name="Of">The whole dataset.</param>
/// <param name="Whole">Why all of it was taken; null when a part was.</param>
internal sealed record CheckSample(TakenSnapshot Taken, Snapshot Of, string? Whole)
{
    public bool IsWhole => Whole is not null;
}

/// <param name="ByDataset">Of every dataset that could be read.</param>
/// <param name="Index">Digests of the files in the check's own project.</param>
internal sealed record CheckSamples(ImmutableSortedDictionary<string, CheckSample> ByDataset, DigestIndex Index)
{
    public bool AreWhole => ByDataset.Values.All(sample => sample.IsWhole);

    public ImmutableArray<DatasetSample> Summary =>
        [.. ByDataset.Select(sample => new DatasetSample(sample.Key, sample.Value.Taken.Snapshot.Rows, sample.Value.Of.Rows, sample.Value.Whole))];
}
