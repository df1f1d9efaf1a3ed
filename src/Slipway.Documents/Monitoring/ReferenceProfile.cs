using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Stats.Sketches;

namespace Slipway.Documents.Monitoring;

/// <summary>What a model's inputs and outputs looked like when it was sealed: <c>slipway/reference.json</c>. Live traffic is measured in its bins.</summary>
/// <remarks>Determined by the table that <c>model.reference</c> names and by the predictions: nothing of it is measured on a clock or host.</remarks>
/// <param name="Inputs">Of the signature's inputs that have one value a row, in its order, from the table that <c>model.reference</c> names.</param>
/// <param name="Outputs">Of the signature's outputs that the predictions have a column for; empty without an evaluation.</param>
public sealed record ReferenceProfile(ImmutableArray<ReferenceFeature> Inputs, ImmutableArray<ReferenceFeature> Outputs);

/// <param name="Edges">
/// Of numbers: upper ends of all bins but the last, ascending, finite; a bin holds what is above the edge before and at most its own. One bin a value up to
/// <see cref="MostValues"/> values, else about <see cref="QuantileBins"/> by the reference's quantiles. Null for text.
/// </param>
/// <param name="Categories">Of text and truth: the most frequent values, sorted by code point, each its own bin; the last bin holds all others. Null for numbers.</param>
/// <param name="Profile">Of the reference's rows.</param>
public sealed record ReferenceFeature(string Name, Sensitivity Sensitivity, ImmutableArray<double>? Edges, ImmutableArray<string>? Categories, ColumnProfile Profile)
{
    public const int QuantileBins = 10, MostValues = 20;

    /// <summary>Categories that have a bin; a caller who invents values fills the last bin, and no memory.</summary>
    public const int MostCategories = 100;

    /// <summary>A value that fewer rows of a sensitive column hold has no bin of its own: it could be one person's.</summary>
    public const int LeastSensitiveRows = 20;

    /// <summary>Characters of a category; a longer one is among the others.</summary>
    public const int LongestCategory = 200;

    /// <summary>The categories of truth.</summary>
    public const string False = "false", True = "true";

    [JsonIgnore]
    public int BinCount => (Edges?.Length ?? Categories!.Value.Length) + 1;
}

/// <summary>Who may see a column's values.</summary>
[JsonConverter(typeof(NamedEnum<Sensitivity>))]
public enum Sensitivity
{
    /// <summary>Values that fewer than 20 rows hold are suppressed, and captured requests leave the column out.</summary>
    [JsonStringEnumMemberName("sensitive")] Sensitive,

    /// <summary>For the team; captured as it is.</summary>
    [JsonStringEnumMemberName("internal")] Internal,

    [JsonStringEnumMemberName("public")] Public,
}

public static class SensitivityWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this Sensitivity sensitivity) => NamedEnum<Sensitivity>.Word(sensitivity);
}
