using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Runs;

public sealed class ProjectLockFileTests : IDisposable
{
    private const string Text = """
        {
          "version": 1,
          "data": {
            "flights": {
              "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
              "size": 0,
              "rows": 3000000
            }
          },
          "environments": {
            "py": {
              "name": "py",
              "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
              "architecture": "amd64",
              "packages": {
                "libstdc++6": "12.2.0-14+deb12u1",
                "python3-sklearn": "1.2.1+dfsg-1"
              }
            }
          },
          "baseline": null
        }

        """;

    private readonly ProjectFolder project = new(Directory.CreateTempSubdirectory("slipway-lock-").FullName);

    private static ProjectLock Lock { get; } = new(
        1,
        ImmutableSortedDictionary<string, DatasetPin>.Empty.Add("flights", new(Digest.Of(default(ReadOnlySpan<byte>)), 0, 3_000_000)),
        ImmutableSortedDictionary<string, HostFingerprint>.Empty.Add("py", new(
            "py",
            Digest.Of(default(ReadOnlySpan<byte>)),
            "amd64",
            ImmutableSortedDictionary<string, string>.Empty.Add("python3-sklearn", "1.2.1+dfsg-1").Add("libstdc++6", "12.2.0-14+deb12u1"))),
        null);

    public void Dispose() => Directory.Delete(project.Root, recursive: true);

    [Fact]
    public void The_file_is_indented_and_sorted_and_ends_in_a_line_end() =>
        Assert.Equal(Text, Encoding.UTF8.GetString(ProjectLockFile.Format(Lock)));

    [Fact]
    public void What_was_written_is_read_back_the_same()
    {
        Assert.Null(ProjectLockFile.Read(project));
        Assert.True(ProjectLockFile.Write(project, Lock));
        Assert.Equal(Text, Encoding.UTF8.GetString(ProjectLockFile.Format(ProjectLockFile.Read(project)!)));
        var withBaseline = Lock with { Baseline = Digest.Of("b"u8) };
        Assert.True(ProjectLockFile.Write(project, withBaseline));
        Assert.Equal(withBaseline.Baseline, ProjectLockFile.Read(project)!.Baseline);
    }

    [Fact]
    public void An_equal_lock_is_not_written_again()
    {
        ProjectLockFile.Write(project, Lock);
        var before = File.GetLastWriteTimeUtc(project.LockFile);
        Assert.False(ProjectLockFile.Write(project, Lock));
        Assert.Equal(before, File.GetLastWriteTimeUtc(project.LockFile));
        Assert.Equal(["slipway.lock"], Directory.GetFiles(project.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void Each_spec_of_a_folder_has_a_lock_of_its_own()
    {
        var second = project with { SpecFile = "slipway.onnx.yaml" };
        var other = Lock with { Baseline = Digest.Of("b"u8) };
        ProjectLockFile.Write(second, other);
        Assert.Equal(other.Baseline, ProjectLockFile.Read(second)!.Baseline);
        ProjectLockFile.Write(project, Lock);
        Assert.Equal(other.Baseline, ProjectLockFile.Read(second)!.Baseline);
        Assert.False(ProjectLockFile.Write(second, other));

        File.WriteAllText(second.LockFile, "{}");
        Assert.All(Assert.Throws<SlipwayException>(() => ProjectLockFile.Read(second)).Faults, fault => Assert.Equal("slipway.onnx.lock", fault.File));
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "bad-value", 2, 14)]
    [InlineData("\"baseline\": null", "\"baselin\": null", "unknown-key", 21, 3)]
    [InlineData("\"baseline\": null", "\"baseline\": null, \"x\": 1", "unknown-key", 21, 21)]
    [InlineData("\"baseline\": null", "\"version\": 1, \"baseline\": null", "duplicate-key", 21, 3)]
    [InlineData("\"baseline\": null", "\"baseline\": \"sha256:00\"", "bad-digest", 21, 15)]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\n      \"size\"", "sha256:E3\",\n      \"size\"", "bad-digest", 5, 17)]
    [InlineData("\"size\": 0", "\"size\": -1", "bad-value", 6, 15)]
    [InlineData("\"size\": 0", "\"size\": 1.5", "wrong-type", 6, 15)]
    [InlineData("\"size\": 0,", "", "missing-key", 4, 5)]
    [InlineData("\"architecture\": \"amd64\"", "\"architecture\": 64", "wrong-type", 14, 23)]
    [InlineData("\"1.2.1+dfsg-1\"", "null", "wrong-type", 17, 28)]
    [InlineData("\"baseline\": null", "<<<<<<< ours", "json-syntax", 21, 3)]
    [InlineData("\"baseline\": null", "\"baseline\": null,", "json-syntax", 22, 1)]
    public void A_lock_that_was_tampered_with_is_refused_with_its_place(string text, string replacement, string code, int line, int column)
    {
        Assert.Contains(text, Text, StringComparison.Ordinal);
        var thrown = Assert.Throws<SlipwayException>(() => ProjectLockFile.Parse(Encoding.UTF8.GetBytes(Text.Replace(text, replacement, StringComparison.Ordinal)), "slipway.lock"));
        var fault = Assert.Single(thrown.Faults);
        Assert.Equal((ExitCode.UnusableInput, code, "slipway.lock", line, column), (thrown.Exit, fault.Code, fault.File, fault.Line!.Value, fault.Column!.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{} {}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    [InlineData("{\"version\": 1, // comment\n}")]
    public void What_is_no_lock_is_refused(string text)
    {
        var thrown = Assert.Throws<SlipwayException>(() => ProjectLockFile.Parse(Encoding.UTF8.GetBytes(text), "slipway.lock"));
        Assert.Equal(ExitCode.UnusableInput, thrown.Exit);
    }
}
