using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Sketches;

namespace Slipway.Server.Monitoring;

/// <summary>What happened in a window, as sums: two of them added are the sum of both. Not thread-safe.</summary>
internal sealed class WindowSum
{
    public const int BadKinds = (int)BadKind.Crash + 1;

    /// <summary>Features of one version; a signature of more has the rest unwatched.</summary>
    public const int MostFeatures = 10_000;

    /// <summary>
    /// Requests of a stored window, and values of a feature: 28 million a second for an hour. Views add up some 40,000 windows, and still stay among JSON's
    /// exact integers.
    /// </summary>
    public const long MostCounted = 100_000_000_000;

    /// <summary>The one before it had no count of refused requests.</summary>
    private const byte Format = 2, FormatBefore = 1;

    /// <summary>Bins of a feature: categories and one for all others, and far more than quantiles give.</summary>
    private const int MostBins = 1_000;

    private const byte Absent = 0, Counted = 1, Measured = 2;

    public long Requests { get; set; }

    /// <summary>Beside <see cref="Requests"/>: those whose input the version does not take.</summary>
    public long Refused { get; set; }

    /// <summary>By <see cref="BadKind"/>.</summary>
    public long[] Bad { get; } = new long[BadKinds];

    /// <summary>By <see cref="LatencyBuckets"/>.</summary>
    public long[] Latency { get; } = new long[LatencyBuckets.Count];

    /// <summary>Requests whose values were profiled.</summary>
    public long Sampled { get; set; }

    /// <summary>Predictions that should have been kept.</summary>
    public long Unkept { get; set; }

    /// <summary>Profiles that fit no feature.</summary>
    public long Misfits { get; set; }

    /// <summary>In the order of <see cref="VersionFeature.Of"/>; empty, or shorter than that, where the rest was never seen. Null for a feature that was not seen.</summary>
    public ColumnProfile?[] Features { get; private set; } = [];

    /// <summary>Whether all of another can be added, so that this still can be told.</summary>
    public bool HasRoomFor(WindowSum other)
    {
        if (Requests + other.Requests > MostCounted || Refused + other.Refused > MostCounted || Sampled + other.Sampled > MostCounted || Unkept + other.Unkept > MostCounted)
            return false;
        for (var i = 0; i < other.Features.Length; i++)
        {
            if (other.Features[i] is { } more && more.Count + (i < Features.Length ? Features[i]?.Count ?? 0 : 0) > MostCounted)
                return false;
        }

        return true;
    }

    public void Add(WindowSum other)
    {
        Requests += other.Requests;
        Refused += other.Refused;
        Sampled += other.Sampled;
        Unkept += other.Unkept;
        Misfits += other.Misfits;
        AddTo(Bad, other.Bad);
        AddTo(Latency, other.Latency);
        for (var i = 0; i < other.Features.Length; i++)
        {
            if (other.Features[i] is { } profile)
                Add(i, profile);
        }
    }

    /// <param name="position">Of the feature.</param>
    /// <param name="profile">In the bins of its reference.</param>
    public void Add(int position, ColumnProfile profile)
    {
        if (position >= Features.Length)
        {
            var more = Features;
            Array.Resize(ref more, position + 1);
            Features = more;
        }

        Features[position] = Features[position] is { } own ? own.Merge(profile) : profile;
    }

    public static void AddTo(Span<long> sum, ReadOnlySpan<long> more)
    {
        for (var i = 0; i < sum.Length; i++)
            sum[i] += more[i];
    }

    /// <summary>As it is stored.</summary>
    public byte[] ToBytes()
    {
        var writer = new BlobWriter();
        writer.Byte(Format);
        writer.Count(Requests);
        writer.Count(Refused);
        writer.Sparse(Bad);
        writer.Sparse(Latency);
        writer.Count(Sampled);
        writer.Count(Unkept);
        writer.Count(Misfits);
        writer.Count(Features.Length);
        foreach (var feature in Features)
            Write(writer, feature);
        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">No such bytes were ever stored.</exception>
    public static WindowSum Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new BlobReader(bytes);
        var format = reader.Byte();
        if (format is not (Format or FormatBefore))
            throw new InvalidDataException($"a stored window has format {format}, and this program knows {Format}");
        var sum = new WindowSum { Requests = reader.Count(), Refused = format == FormatBefore ? 0 : reader.Count() };
        reader.Sparse(sum.Bad);
        reader.Sparse(sum.Latency);
        (sum.Sampled, sum.Unkept, sum.Misfits) = (reader.Count(), reader.Count(), reader.Count());
        // One that is absent has a byte: no more of them than bytes can be true.
        sum.Features = new ColumnProfile?[reader.Size(Math.Min(MostFeatures, bytes.Length))];
        for (var i = 0; i < sum.Features.Length; i++)
            sum.Features[i] = ReadProfile(ref reader);
        reader.End();
        return sum;
    }

    private static void Write(BlobWriter writer, ColumnProfile? feature)
    {
        writer.Byte(feature is null ? Absent : feature.Moments is null ? Counted : Measured);
        if (feature is null)
            return;
        writer.Count(feature.Count);
        writer.Count(feature.Missing);
        writer.Count(feature.Bins.Length);
        foreach (var bin in feature.Bins)
            writer.Count(bin);
        if (feature.Moments is not { } moments)
            return;
        writer.Count(moments.Count);
        writer.Double(moments.Min);
        writer.Double(moments.Max);
        writer.Double(moments.Mean);
        writer.Double(moments.M2);
        writer.Double(moments.M3);
        writer.Double(moments.M4);
    }

    private static ColumnProfile? ReadProfile(ref BlobReader reader)
    {
        var kind = reader.Byte();
        if (kind == Absent)
            return null;
        if (kind > Measured)
            throw new InvalidDataException($"a stored profile is of kind {kind}");
        var (count, missing) = (reader.Count(), reader.Count());
        var bins = new long[reader.Size(MostBins)];
        for (var i = 0; i < bins.Length; i++)
            bins[i] = reader.Count();
        Moments? moments = kind == Measured
            ? new Moments(reader.Count(), reader.Double(), reader.Double(), reader.Double(), reader.Double(), reader.Double(), reader.Double())
            : null;
        return new(count, missing, ImmutableCollectionsMarshal.AsImmutableArray(bins), moments);
    }
}
