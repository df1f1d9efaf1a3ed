using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Sealing;

/// <summary>The digest follows from what is sealed, not from the order in which it was found, listed or built, nor from who looks at it.</summary>
public sealed class SealOrderTests : IDisposable
{
    private const int Rounds = 40;

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Any_order_and_any_culture_give_the_same_digest()
    {
        var expected = Seal(Shuffled(null), "first");
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (odd.NumberFormat.NumberDecimalSeparator, odd.NumberFormat.NegativeSign, odd.NumberFormat.NumberGroupSeparator, odd.DateTimeFormat.DateSeparator) = (",", "~", ".", "!");
        for (var round = 0; round < Rounds; round++)
        {
            var random = new Random(round);
            var before = CultureInfo.CurrentCulture;
            try
            {
                CultureInfo.CurrentCulture = round % 2 == 0 ? odd : CultureInfo.InvariantCulture;
                Assert.Equal(expected, Seal(Shuffled(random), $"round {round}"));
            }
            finally
            {
                CultureInfo.CurrentCulture = before;
            }
        }
    }

    /// <summary>The order of what has one is content: stages as they ran, columns, inputs of the signature, gates.</summary>
    [Fact]
    public void An_order_that_means_something_is_in_the_digest()
    {
        var request = Shuffled(null);
        var expected = Seal(request, "first");
        var swapped = request with { Snapshots = [.. request.Snapshots.Select(snapshot => snapshot with { Columns = [.. snapshot.Columns.Reverse()] })] };
        Assert.NotEqual(expected, Seal(swapped, "columns"));
    }

    private Digest Seal(SealRequest request, string name) => Sealer.Seal(request, OciLayout.Create(folder[$"bundles {name}"]), TestContext.Current.CancellationToken).Digest;

    /// <param name="random">Null for the order as written.</param>
    private SealRequest Shuffled(Random? random)
    {
        var source = folder[$"source {random?.Next() ?? 0}"];
        var request = SampleRun.In(source, isFolder: true);
        string[] more = ["alpha", "İstanbul".ToLowerInvariant(), "z", "a-b", "ä", "_", "Z"];
        var snapshots = Mixed(more.Select(name => Data("data-" + name)));
        var code = Mixed(more.Select(name => File(source, $"lib/{name}.py")));
        var environments = Mixed(more.Select(name => HostFingerprint.Of(name, "amd64", Sorted(more.Select(package => (package, "1." + package))))));
        var spec = request.Spec with
        {
            Data = Sorted(request.Spec.Data.Select(entry => (entry.Key, entry.Value)).Concat(snapshots.Select(data => (data.Name, new DatasetSpec(data.Name, $"data/{data.Name}.csv", null, null))))),
            Environments = Sorted(request.Spec.Environments.Select(entry => (entry.Key, entry.Value)).Concat(environments.Select(found => (found.Name, new EnvironmentSpec(found.Name, ["python3"]))))),
            Hardware = Sorted(more.Select(name => (name, request.Spec.Hardware["serve"]))),
            Params = Sorted(more.Select(name => (name, JsonSerializer.SerializeToElement(1, DocumentParts.Default.Int32))).Append(("leaves", request.Spec.Params["leaves"]))),
        };
        var evaluation = request.Evaluation! with { Metrics = Sorted(request.Evaluation.Metrics.Select(metric => (metric.Key, metric.Value))), Slices = Sorted(request.Evaluation.Slices.Select(column => (column.Key, column.Value))) };
        return SampleRun.Keyed(request with
        {
            Spec = spec,
            Snapshots = [.. Mixed(request.Snapshots.Concat(snapshots))],
            Lock = request.Lock with
            {
                Data = Sorted(request.Lock.Data.Select(pin => (pin.Key, pin.Value)).Concat(snapshots.Select(data => (data.Name, new DatasetPin(data.Digest, data.Files.Sum(file => file.Size), data.Rows))))),
                Environments = Sorted(request.Lock.Environments.Select(found => (found.Key, found.Value)).Concat(environments.Select(found => (found.Name, found)))),
            },
            Model = [.. Mixed(request.Model)],
            Code = [.. Mixed(request.Code.Concat(code))],
            Evaluation = evaluation,
        });

        T[] Mixed<T>(IEnumerable<T> items)
        {
            var array = items.ToArray();
            random?.Shuffle(array);
            return array;
        }

        ImmutableSortedDictionary<string, T> Sorted<T>(IEnumerable<(string Key, T Value)> entries)
        {
            var built = ImmutableSortedDictionary<string, T>.Empty.WithComparers(StringComparer.Ordinal);
            foreach (var (key, value) in Mixed(entries))
                built = built.Add(key, value);
            return built;
        }
    }

    private static Snapshot Data(string name)
    {
        ImmutableArray<SnapshotFile> files = [new SnapshotFile("a.csv", 10, SampleRun.Of(name + " a")), new SnapshotFile("b.csv", 20, SampleRun.Of(name + " b"))];
        return new Snapshot(name, Snapshot.DigestOf(files), files, [new ColumnSchema("x", "BIGINT"), new ColumnSchema("y", "DOUBLE")], 3);
    }

    private static SealFile File(string root, string path)
    {
        var at = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(at)!);
        System.IO.File.WriteAllText(at, path);
        return new SealFile(path, false, System.Text.Encoding.UTF8.GetByteCount(path), SampleRun.Of(path), at);
    }
}
