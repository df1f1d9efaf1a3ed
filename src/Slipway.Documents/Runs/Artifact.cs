using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Runs;

/// <summary>What went into a stage or came out of it, by content.</summary>
/// <param name="Digest">Of a file's bytes; of a folder's or glob's list of files (<c>FileTree</c>); of a dataset's snapshot.</param>
/// <param name="Size">Bytes of all files.</param>
public sealed record Artifact(Digest Digest, ArtifactKind Kind, long Size);

[JsonConverter(typeof(NamedEnum<ArtifactKind>))]
public enum ArtifactKind
{
    [JsonStringEnumMemberName("file")] File,

    /// <summary>A file whose owner may execute it.</summary>
    [JsonStringEnumMemberName("program")] Program,
    [JsonStringEnumMemberName("folder")] Folder,
    [JsonStringEnumMemberName("dataset")] Dataset,
}
