using System.Collections.Immutable;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Oci;

public sealed class OciLayoutTests : IDisposable
{
    private readonly ScratchFolder scratch = new();
    private readonly OciLayout layout;

    public OciLayoutTests() => layout = OciLayout.Create(scratch["layout"]);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void A_blob_is_the_same_from_memory_a_file_and_a_writer()
    {
        var content = Encoding.ASCII.GetBytes("some weights");
        var blob = layout.AddBlob(content);

        Assert.Equal(new StoredBlob(Digest.Of(content), content.Length), blob);
        Assert.Equal(blob, layout.AddBlob(scratch.Write("file", content), Stop));
        Assert.Equal(blob, layout.AddBlob(output =>
        {
            output.Write(content.AsSpan(0, 5));
            output.WriteByte(content[5]);
            output.Write(content, 6, content.Length - 6);
        }));
        Assert.Equal(content, File.ReadAllBytes(scratch[$"layout/blobs/sha256/{blob.Digest.Hex}"]));
    }

    [Fact]
    public void An_object_becomes_a_blob_without_a_second_copy()
    {
        var content = Encoding.ASCII.GetBytes("some weights");
        var store = new ContentStore(scratch["objects"]);
        using var batch = store.Begin();
        var blob = new StoredBlob(batch.Add(content), content.Length);
        batch.Commit();
        var path = scratch[$"layout/blobs/sha256/{blob.Digest.Hex}"];

        Assert.Equal(BlobState.Intact, layout.AdoptBlob(blob, store.PathOf(blob.Digest), Stop));
        Assert.Equal(BlobState.Intact, layout.AdoptBlob(blob, store.PathOf(blob.Digest), Stop));
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(scratch["layout/blobs/sha256"]));
        Assert.Equal(FileStamp.Of(store.PathOf(blob.Digest))!.Value.Inode, FileStamp.Of(path)!.Value.Inode);    // this file system shares no blocks, so it is a link

        // A damaged blob is mended, and the object that it once shared its bytes with is not.
        File.Delete(path);
        File.WriteAllText(path, "some weightz");
        Assert.Equal(BlobState.Intact, layout.AdoptBlob(blob, store.PathOf(blob.Digest), Stop));
        Assert.Equal(content, File.ReadAllBytes(path));
        Assert.True(store.IsSound(blob.Digest, content.Length));
    }

    [Fact]
    public void A_file_on_another_disk_is_copied()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "there is no second file system at /dev/shm");
        var other = $"/dev/shm/slipway-test-{Environment.ProcessId}";
        try
        {
            File.WriteAllText(other, "some weights");
            var blob = new StoredBlob(Digest.Of("some weights"u8), 12);
            Assert.Equal(BlobState.Intact, layout.AdoptBlob(blob, other, Stop));
            Assert.Equal("some weights", File.ReadAllText(scratch[$"layout/blobs/sha256/{blob.Digest.Hex}"]));
        }
        finally
        {
            File.Delete(other);
        }
    }

    [Theory]
    [InlineData("some weightz", BlobState.Changed)]
    [InlineData("some", BlobState.WrongSize)]
    [InlineData(null, BlobState.Missing)]
    public void A_file_that_is_not_the_content_is_not_adopted(string? content, BlobState state)
    {
        if (content is not null)
            scratch.Write("file", Encoding.ASCII.GetBytes(content));
        Assert.Equal(state, layout.AdoptBlob(new StoredBlob(Digest.Of("some weights"u8), 12), scratch["file"], Stop));
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["layout/blobs/sha256"]));
    }

    [Fact]
    public void A_writer_that_fails_leaves_nothing()
    {
        Assert.Throws<InvalidDataException>(() => layout.AddBlob(output =>
        {
            output.Write("half"u8);
            throw new InvalidDataException();
        }));

        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["layout/blobs/sha256"]));
    }

    [Fact]
    public async Task Content_from_elsewhere_is_added_under_its_own_digest_alone()
    {
        var content = Encoding.ASCII.GetBytes("some weights");
        Assert.Equal(BlobState.Changed, await layout.ReceiveBlobAsync(Digest.Of("other"u8), new MemoryStream(content), 100, Stop));
        Assert.Equal(BlobState.TooLarge, await layout.ReceiveBlobAsync(Digest.Of(content), new MemoryStream(content), content.Length - 1, Stop));
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => layout.ReceiveBlobAsync(Digest.Of(content), new MemoryStream(content), 100, stopped.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["layout/blobs/sha256"]));

        Assert.Equal(BlobState.Intact, await layout.ReceiveBlobAsync(Digest.Of(content), new MemoryStream(content), content.Length, Stop));
        Assert.Equal(content, layout.ReadBlob(Digest.Of(content), 100).Bytes);
    }

    [Fact]
    public void A_manifest_from_elsewhere_keeps_its_bytes_and_so_its_digest()
    {
        var blob = layout.AddBlob("{}"u8).As("a/b");
        var spaced = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(new OciManifest(2, blob, [blob]).ToBytes()).Replace(",", ", ", StringComparison.Ordinal));
        var entry = layout.PutManifest(spaced, "spaced", Stop);
        Assert.Equal(Digest.Of(spaced), entry.Digest);
        Assert.Equal(entry.Digest, layout.Tags()["spaced"].Digest);
        Assert.Throws<System.Text.Json.JsonException>(() => layout.PutManifest("{}"u8, cancellation: Stop));
    }

    [Fact]
    public void A_list_of_manifests_is_taken_as_attached_only_where_it_is()
    {
        var blob = layout.AddBlob("{}"u8).As("a/b");
        var subject = layout.PutManifest(new OciManifest(2, blob, [blob]), cancellation: Stop);
        var attached = layout.PutManifest(new OciManifest(2, blob, [blob], Subject: subject), cancellation: Stop);
        var referrers = layout.Referrers(subject.Digest, [attached.Digest, subject.Digest, blob.Digest, Digest.Of("nowhere"u8), attached.Digest]);
        Assert.Equal([true, false, false, false], referrers.Select(referrer => referrer.Manifest is not null));
        Assert.Contains("is not attached", referrers[1].Flaw, StringComparison.Ordinal);
        Assert.Contains("is no manifest", referrers[2].Flaw, StringComparison.Ordinal);
        Assert.Contains("is missing", referrers[3].Flaw, StringComparison.Ordinal);
    }

    [Fact]
    public void Adding_a_damaged_blob_again_mends_it()
    {
        var blob = layout.AddBlob("good"u8);
        File.WriteAllText(scratch[$"layout/blobs/sha256/{blob.Digest.Hex}"], "evil");
        Assert.Equal(BlobState.Changed, layout.CheckBlob(blob.As("a/b"), Stop));

        layout.AddBlob("good"u8);

        Assert.Equal(BlobState.Intact, layout.CheckBlob(blob.As("a/b"), Stop));
    }

    [Fact]
    public void Every_state_of_a_blob_is_told_apart()
    {
        var blob = layout.AddBlob("four"u8).As("a/b");
        var path = scratch[$"layout/blobs/sha256/{blob.Digest.Hex}"];

        Assert.Equal(BlobState.Intact, layout.ReadBlob(blob.Digest, 4).State);
        Assert.Equal(BlobState.TooLarge, layout.ReadBlob(blob.Digest, 3).State);
        Assert.Equal(BlobState.WrongSize, layout.CheckBlob(blob with { Size = 5 }, Stop));
        File.WriteAllText(path, "FOUR");
        Assert.Equal((BlobState.Changed, 0), (layout.ReadBlob(blob.Digest, 4).State, layout.ReadBlob(blob.Digest, 4).Bytes.Length));
        Assert.Equal(BlobState.Changed, layout.CheckBlob(blob, Stop));
        File.Delete(path);
        Assert.Equal(BlobState.Missing, layout.CheckBlob(blob, Stop));
    }

    [Fact]
    public void A_pipe_in_place_of_a_blob_blocks_nobody()
    {
        var digest = Digest.Of("x"u8);
        var (code, output) = Tool.Run("mkfifo", scratch[$"layout/blobs/sha256/{digest.Hex}"]);
        Assert.True(code == 0, output);

        Assert.Equal(BlobState.Missing, layout.ReadBlob(digest, 10).State);
    }

    [Fact]
    public void A_tag_finds_its_manifest_and_moves_without_losing_the_one_before()
    {
        var one = layout.PutManifest(Manifest("one"), "latest", Stop);
        var two = layout.PutManifest(Manifest("two"), "latest", Stop);

        Assert.True(layout.TryResolve("latest", out var found));
        Assert.Equal(two.Digest, found);
        Assert.True(layout.TryResolve(one.Digest.ToString(), out _));
        Assert.False(layout.TryResolve("other", out _));
        Assert.Equal(2, layout.ReadIndex().Manifests.Length);
        Assert.Equal("latest", Assert.Single(layout.Tags()).Key);
    }

    [Fact]
    public void Storing_again_changes_nothing()
    {
        layout.PutManifest(Manifest("one"), "a", Stop);
        layout.PutManifest(Manifest("one"), "b", Stop);
        layout.PutManifest(Manifest("two"), cancellation: Stop);
        var before = File.ReadAllBytes(scratch["layout/index.json"]);

        layout.PutManifest(Manifest("one"), "a", Stop);
        layout.PutManifest(Manifest("one"), cancellation: Stop);
        layout.PutManifest(Manifest("two"), cancellation: Stop);
        OciLayout.Create(scratch["layout"]);

        Assert.Equal(before, File.ReadAllBytes(scratch["layout/index.json"]));
        Assert.Equal(["a", "b"], layout.Tags().Keys);
    }

    [Fact]
    public void A_tag_given_later_takes_the_place_of_the_entry_without()
    {
        layout.PutManifest(Manifest("one"), cancellation: Stop);
        layout.PutManifest(Manifest("one"), "a", Stop);

        Assert.Equal("a", Assert.Single(layout.ReadIndex().Manifests).Annotation(OciLayout.TagAnnotation));
    }

    [Fact]
    public void A_manifest_without_its_blobs_is_refused()
    {
        var manifest = Manifest("one");
        File.Delete(scratch[$"layout/blobs/sha256/{manifest.Layers[0].Digest.Hex}"]);

        var refused = Assert.Throws<SlipwayException>(() => layout.PutManifest(manifest, "a", Stop));

        Assert.Equal("blob-missing", Assert.Single(refused.Faults).Code);
        Assert.Empty(layout.Tags());
    }

    [Fact]
    public void Referrers_are_found_by_their_subject_alone()
    {
        var one = layout.PutManifest(Manifest("one"), "one", Stop);
        var two = layout.PutManifest(Manifest("two"), "two", Stop);
        var attached = layout.PutManifest(Manifest("note") with { Subject = one, ArtifactType = "a/note" }, cancellation: Stop);

        var referrer = Assert.Single(layout.Referrers(one.Digest));
        Assert.Equal((attached.Digest, "a/note"), (referrer.Entry.Digest, referrer.Entry.ArtifactType));
        Assert.Empty(layout.Referrers(two.Digest));
    }

    [Fact]
    public void A_referrer_that_another_tool_listed_is_found_as_well()
    {
        var one = layout.PutManifest(Manifest("one"), "one", Stop);
        var attached = layout.PutManifest(Manifest("note") with { Subject = one, ArtifactType = "a/note" }, cancellation: Stop);
        var index = layout.ReadIndex();
        File.WriteAllBytes(scratch["layout/index.json"], (index with
        {
            Manifests = [.. index.Manifests.Select(entry => entry.Digest == attached.Digest ? entry with { Annotations = null } : entry)],
        }).ToBytes());

        Assert.Equal(attached.Digest, Assert.Single(layout.Referrers(one.Digest)).Entry.Digest);
    }

    [Fact]
    public void A_damaged_referrer_is_named_for_its_subject_only()
    {
        var one = layout.PutManifest(Manifest("one"), "one", Stop);
        var two = layout.PutManifest(Manifest("two"), "two", Stop);
        var attached = layout.PutManifest(Manifest("note") with { Subject = one, ArtifactType = "a/note" }, cancellation: Stop);
        File.AppendAllText(scratch[$"layout/blobs/sha256/{attached.Digest.Hex}"], " ");

        Assert.Equal("differs from its digest", Assert.Single(layout.Referrers(one.Digest)).Flaw);
        Assert.Empty(layout.Referrers(two.Digest));
    }

    [Fact]
    public void Blobs_that_nothing_leads_to_are_listed()
    {
        layout.PutManifest(Manifest("one"), "one", Stop);
        Assert.Empty(layout.UnreferencedBlobs());

        var stray = layout.AddBlob("stray"u8);
        scratch.Write("layout/blobs/sha256/README", "not a blob"u8);

        Assert.Equal(stray.Digest, Assert.Single(layout.UnreferencedBlobs()));
    }

    [Fact]
    public async Task Writers_at_the_same_time_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => layout.PutManifest(Manifest($"m{i}"), $"t{i}", Stop), Stop)));

        Assert.Equal(16, layout.Tags().Count);
        Assert.Empty(layout.UnreferencedBlobs());
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("v1.0_rc-2", true)]
    [InlineData("", false)]
    [InlineData(".a", false)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("ä", false)]
    public void Tags_are_those_that_registries_take(string tag, bool allowed) => Assert.Equal(allowed, OciLayout.IsTag(tag));

    [Theory]
    [InlineData("oci-layout", null, "layout-missing")]
    [InlineData("oci-layout", "{}", "layout-unreadable")]
    [InlineData("oci-layout", """{"imageLayoutVersion":"2.0.0"}""", "layout-version")]
    [InlineData("index.json", null, "layout-unreadable")]
    [InlineData("index.json", "{\"schemaVersion\":2,", "layout-unreadable")]
    public void A_broken_layout_is_told_by_file(string file, string? content, string code)
    {
        if (content is null)
            File.Delete(scratch["layout/" + file]);
        else
            File.WriteAllText(scratch["layout/" + file], content);

        var refused = Assert.Throws<SlipwayException>(() => OciLayout.Open(scratch["layout"]).ReadIndex());

        Assert.Equal((code, ExitCode.UnusableInput), (Assert.Single(refused.Faults).Code, refused.Exit));
    }

    [Fact]
    public void Skopeo_reads_the_manifest_by_its_tag()
    {
        Assert.SkipUnless(Tool.IsThere("skopeo"), "skopeo is not installed");
        var manifest = Manifest("one");
        layout.PutManifest(manifest, "one", Stop);
        layout.PutManifest(Manifest("two"), "two", Stop);

        var (code, output) = Tool.Run("skopeo", "inspect", "--raw", $"oci:{layout.Folder}:one");

        Assert.True(code == 0, output);
        Assert.Equal(Encoding.UTF8.GetString(manifest.ToBytes()), output);
    }

    private OciManifest Manifest(string content) => new(
        2,
        layout.AddBlob("{}"u8).As(OciManifest.EmptyMediaType),
        [layout.AddBlob(Encoding.UTF8.GetBytes(content)).As("application/octet-stream", ImmutableSortedDictionary<string, string>.Empty.Add("name", content))],
        OciManifest.ManifestMediaType,
        "application/vnd.example.thing");
}
