using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Store.Content;

public sealed class ContentStoreTests : IDisposable
{
    // FIPS 180-2, appendix B.1.
    private static readonly Digest abc = Digest.Parse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    private readonly TestFolder folder = new();

    private ContentStore Store => new(folder["objects"]);

    public void Dispose() => folder.Dispose();

    private Digest PutBytes(ReadOnlySpan<byte> content)
    {
        using var batch = Store.Begin();
        var digest = batch.Add(content);
        batch.Commit();
        return digest;
    }

    private (Digest Digest, long Size) PutFile(string path)
    {
        using var batch = Store.Begin();
        var stored = batch.AddFile(path, path);
        batch.Commit();
        return stored;
    }

    [Fact]
    public void An_object_is_named_by_its_content_and_read_only()
    {
        Assert.False(Store.Contains(abc));
        Assert.Equal(abc, PutBytes("abc"u8));
        Assert.True(Store.Contains(abc));
        Assert.Equal(folder["objects/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"], Store.PathOf(abc));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(Store.PathOf(abc)));
        Assert.Equal("abc", Text(Store.OpenRead(abc)));
        Assert.Equal((abc, 3L), PutFile(folder.Write("again.txt", "abc")));
        Assert.Single(Directory.EnumerateFiles(folder["objects"], "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131071)]
    [InlineData(131072)]
    [InlineData(400001)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(70 << 20)]
    public void A_file_of_any_size_comes_back_as_it_was(int size)
    {
        var bytes = new byte[size];
        for (var i = 0; i < size; i++)
            bytes[i] = (byte)(i * 31 >> 3);
        Assert.Equal((Digest.Of(bytes), (long)size), PutFile(folder.Write("f", bytes)));
        Store.CopyTo(Digest.Of(bytes), folder["copy"], executable: true, DateTime.UnixEpoch.AddDays(20000));
        Assert.Equal(bytes, File.ReadAllBytes(folder["copy"]));
        Assert.Equal(FilePermissions.Program, File.GetUnixFileMode(folder["copy"]));
        Assert.Equal(DateTime.UnixEpoch.AddDays(20000), File.GetLastWriteTimeUtc(folder["copy"]));
    }

    [Fact]
    public void Nothing_of_a_batch_is_visible_before_its_commit()
    {
        using (var batch = Store.Begin())
        {
            batch.Add("abc"u8);
            Assert.False(Store.Contains(abc));
        }

        Assert.False(Store.Contains(abc));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["objects"]));
        using (var batch = Store.Begin())
        {
            batch.Add("abc"u8);
            batch.Add("abc"u8);
            batch.AddFile(folder.Write("d", "def"), "d");
            batch.Commit();
        }

        Assert.True(Store.Contains(abc) && Store.Contains(Digest.Of("def"u8)));
    }

    [Fact]
    public void A_copy_is_no_link_to_the_object_nor_the_object_to_its_source()
    {
        var source = folder.Write("source", "abc");
        PutFile(source);
        File.AppendAllText(source, "x");
        Store.CopyTo(abc, folder["copy"], executable: false, DateTime.UnixEpoch);
        File.AppendAllText(folder["copy"], "x");
        Assert.Equal("abc", Text(Store.OpenRead(abc, verify: true)));
    }

    [Fact]
    public void An_object_that_somebody_wrote_to_is_not_sound_and_is_replaced()
    {
        PutBytes("abc"u8);
        Assert.True(Store.IsSound(abc, 3));
        Assert.False(Store.IsSound(abc, 4));
        Spoil("abd");
        Assert.False(Store.IsSound(abc, 3));
        Assert.Equal("damaged-object", Assert.Throws<SlipwayException>(() => Store.OpenRead(abc, verify: true)).Faults[0].Code);
        PutBytes("abc"u8);
        Assert.True(Store.IsSound(abc, 3));
        File.Delete(Store.PathOf(abc));
        Assert.False(Store.IsSound(abc, 3));
        Assert.Equal("missing-object", Assert.Throws<SlipwayException>(() => Store.OpenRead(abc)).Faults[0].Code);
    }

    [Fact]
    public void An_object_copied_without_its_times_is_hashed_once_and_then_sound_by_its_stamp()
    {
        PutBytes("abc"u8);
        File.SetLastWriteTimeUtc(Store.PathOf(abc), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.True(Store.IsSound(abc, 3));
        Assert.Equal(ContentStore.Untouched, File.GetLastWriteTimeUtc(Store.PathOf(abc)));
    }

    [Fact]
    public void Nothing_done_to_a_copy_reaches_the_object()
    {
        PutBytes("abc"u8);
        Store.CopyTo(abc, folder["copy"], executable: false, DateTime.UnixEpoch);
        File.SetUnixFileMode(folder["copy"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.AppendAllText(folder["copy"], "x");
        File.SetLastWriteTimeUtc(folder["copy"], DateTime.UnixEpoch);
        using (var file = File.OpenWrite(folder["copy"]))
            file.SetLength(1);
        File.Delete(folder["copy"]);

        Assert.Equal("abc", Text(Store.OpenRead(abc, verify: true)));
        Assert.Equal(ContentStore.ReadOnly, File.GetUnixFileMode(Store.PathOf(abc)));
        Assert.Equal(ContentStore.Untouched, File.GetLastWriteTimeUtc(Store.PathOf(abc)));
    }

    [Fact]
    public void Many_objects_of_one_batch_appear_together_and_two_writers_of_one_object_agree()
    {
        foreach (var i in Enumerable.Range(0, 200))
            folder.Write($"many/{i}", $"content {i % 150}");
        using var first = Store.Begin();
        using var second = Store.Begin();
        var trees = new[] { first, second }.AsParallel().Select(batch => batch.AddFolder(folder["many"], "many/").Digest).ToArray();
        Assert.Equal(trees[0], trees[1]);
        Assert.False(Store.Contains(trees[0]));
        first.Commit();
        second.Commit();
        Assert.All(Store.ReadTree(trees[0]).Files, file => Assert.Equal(file.Digest, Digest.Of(Store.OpenRead(file.Digest))));
        Assert.Equal(151, Directory.EnumerateFiles(folder["objects"], "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public void A_folder_comes_back_as_a_tree()
    {
        folder.Write("m/z", "abc");
        folder.Write("m/a/b", "def");
        folder.Write("m/empty", "");
        File.SetUnixFileMode(folder["m/z"], FilePermissions.Program);
        using var batch = Store.Begin();
        var (digest, size) = batch.AddFolder(folder["m"], "m/");
        batch.Commit();
        var tree = Store.ReadTree(digest);
        Assert.Equal([("a/b", false, 3L), ("empty", false, 0L), ("z", true, 3L)], tree.Files.Select(file => (file.Path, file.Executable, file.Size)));
        Assert.Equal((digest, 6L, 6L), (tree.Digest, tree.Size, size));
        Assert.Equal(
            """{"files":[{"digest":"sha256:cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34","executable":false,"path":"a/b","size":3},{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","executable":false,"path":"empty","size":0},{"digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","executable":true,"path":"z","size":3}]}""",
            Text(Store.OpenRead(digest, verify: true)));
        Assert.Equal("not-a-tree", Assert.Throws<SlipwayException>(() => Store.ReadTree(abc)).Faults[0].Code);
    }

    [Fact]
    public void Paths_are_sorted_by_their_bytes_and_not_by_UTF_16()
    {
        // U+FFFD is before U+1F600 in UTF-8, and after it in UTF-16.
        var tree = FileTree.Of([Entry("\U0001F600"), Entry("\uFFFD"), Entry("a/b"), Entry("a.b"), Entry("B")]);
        Assert.Equal(["B", "a.b", "a/b", "\uFFFD", "\U0001F600"], tree.Files.Select(file => file.Path));
        Assert.Equal(tree.Files, FileTree.Parse(tree.ToJson()).Files);
    }

    [Fact]
    public void A_walk_goes_in_the_order_of_whole_paths_whatever_the_folders_names()
    {
        // Each folder's name sorts with its slash: '-' and '.' are before it, digits and letters behind it.
        string[] paths = ["a-b/c", "a.b", "a/b", "a/b-c/d", "a/b.c", "a0", "ab/c", "\uFFFD/x", "\U0001F600/x"];
        foreach (var path in paths)
            folder.Write($"m/{path}", "abc");
        var walked = Walk(followLinks: false);
        Assert.Equal(FileTree.Of(walked).Files, walked);
        Assert.Equal(paths.Order(Utf8Order.Comparer), walked.Select(file => file.Path));
    }

    [Fact]
    public void A_walk_of_more_files_than_are_looked_at_together_gives_each_once()
    {
        foreach (var i in Enumerable.Range(0, 5000))
            folder.Write($"m/{i % 3}/{i}", "");
        var walked = Walk(followLinks: false);
        Assert.Equal(FileTree.Of(walked.DistinctBy(file => file.Path)).Files, walked);
        Assert.Equal(5000, walked.Length);
    }

    [Theory]
    [InlineData("a", 1)]
    [InlineData("quote\" back\\slash \n\u0001 é \uFFFD \U0001F600", 0)]
    [InlineData("m", (1L << 53) - 1)]
    public void A_tree_written_file_by_file_is_canonical(string path, long size)
    {
        var tree = FileTree.Of([new FileTreeEntry(path, true, size, abc), Entry("other"), Entry("second")]);
        var json = tree.ToJson();
        Assert.Equal(CanonicalJson.Canonicalize(json), json);
        Assert.Equal(Digest.Of(json), tree.Digest);
        Assert.Equal(tree.Files, FileTree.Parse(json).Files);
        Assert.Throws<JsonException>(() => FileTree.Parse(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json) + " ")));
    }

    [Fact]
    public void An_empty_tree_is_canonical_too_and_a_size_that_JSON_cannot_hold_is_refused()
    {
        Assert.Equal("{\"files\":[]}", Encoding.UTF8.GetString(FileTree.Of([]).ToJson()));
        Assert.Empty(FileTree.Parse(FileTree.Of([]).ToJson()).Files);
        Assert.Throws<JsonException>(() => FileTree.Of([new FileTreeEntry("a", false, 1L << 53, abc)]).ToJson());
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/x")]
    [InlineData("a/../x")]
    [InlineData("a//x")]
    [InlineData("./x")]
    [InlineData("")]
    [InlineData("a\0")]
    public void A_tree_whose_path_leaves_the_folder_is_refused(string path) =>
        Assert.Throws<JsonException>(() => FileTree.Parse(new FileTree([Entry(path)]).ToJson()));

    [Fact]
    public void A_tree_that_is_not_as_it_was_written_is_refused()
    {
        Assert.Throws<JsonException>(() => FileTree.Parse(new FileTree([Entry("b"), Entry("a")]).ToJson()));
        Assert.Throws<JsonException>(() => FileTree.Parse(new FileTree([Entry("a"), Entry("a")]).ToJson()));
        var good = FileTree.Of([Entry("a"), Entry("b")]).ToJson();
        Assert.Throws<JsonException>(() => FileTree.Parse(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(good).Replace("\"size\"", " \"size\""))));
        Assert.Throws<JsonException>(() => FileTree.Parse(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(good).Replace("\"executable\":false,", ""))));
        Assert.Throws<JsonException>(() => FileTree.Parse("null"u8.ToArray()));
    }

    [Theory]
    [InlineData("ln -s z {0}/l", "link")]
    [InlineData("ln -s /nowhere {0}/l", "link")]
    [InlineData("mkfifo {0}/l", "not-a-file")]
    [InlineData("touch \"{0}/$(printf '\\377')\"", "missing-file")]
    public void What_has_no_content_of_its_own_is_refused(string command, string code)
    {
        folder.Write("m/z", "abc");
        Shell(command);
        using var _ = new Cleanup(() => Shell("rm -r {0}"));     // the framework cannot delete a name that is not UTF-8
        Assert.Equal(code, Assert.Throws<SlipwayException>(() => Walk(followLinks: false)).Faults[0].Code);
    }

    [Fact]
    public void A_link_to_a_file_is_followed_where_that_is_asked_for_and_one_to_a_folder_never()
    {
        folder.Write("m/z", "abc");
        folder.Write("other/x", "defg");
        File.CreateSymbolicLink(folder["m/l"], folder["other/x"]);
        Assert.Equal([("l", 4L), ("z", 3L)], Walk(followLinks: true).Select(file => (file.Path, file.Size)));
        Directory.CreateSymbolicLink(folder["m/f"], folder["other"]);
        Assert.Equal("link", Assert.Throws<SlipwayException>(() => Walk(followLinks: true)).Faults[0].Code);
    }

    [Fact]
    public void What_a_dead_writer_left_is_removed_and_what_a_living_one_writes_is_not()
    {
        PutBytes("abc"u8);
        folder.Write("objects/.tmp-slipway-999999999-1a-1", "x");
        folder.Write($"objects/.tmp-slipway-{Environment.ProcessId}-0-1", "of a process before this one that had its id");
        folder.Write("objects/.tmp-slipway-999999999-1a-2/deep", "x");
        folder.Write("objects/.tmp-slipway-other", "x");
        folder.Write($"objects/{Path.GetFileName(AtomicFile.TemporaryBeside(folder["objects/x"]))}", "mine");
        folder.Write("objects/.tmp-slipway-1-1a-1", "of process 1, which lives");
        Store.RemoveLeftovers();
        Assert.Equal(3, Directory.EnumerateFileSystemEntries(folder["objects"], ".tmp-*").Count());
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["objects"], ".tmp-slipway-999999999-*"));
        Assert.True(Store.IsSound(abc, 3));
    }

    private void Spoil(string content)
    {
        File.SetUnixFileMode(Store.PathOf(abc), FilePermissions.Plain);
        File.WriteAllText(Store.PathOf(abc), content);
    }

    private void Shell(string command)
    {
        using var shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", string.Format(command, folder["m"])]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    private sealed record Cleanup(Action Clean) : IDisposable
    {
        public void Dispose() => Clean();
    }

    private FileTreeEntry[] Walk(bool followLinks) => [.. FileTree.Walk(folder["m"], (_, _) => abc, "m/", followLinks)];

    private static FileTreeEntry Entry(string path) => new(path, false, 1, abc);

    private static string Text(Stream stream)
    {
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
